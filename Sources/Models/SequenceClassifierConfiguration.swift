import Tensors

/// The configuration of a sequence classifier: its model, and the meaning of its scores.
package struct SequenceClassifierConfiguration: NetworkConfiguration {
  /// The meaning of the scores; Hugging Face's `problem_type`.
  package enum Problem: String, Sendable, CaseIterable {
    /// The scores are the logits of classes.
    case classification = "single_label_classification"
    /// Each score is a predicted number.
    case regression
  }

  /// The language model with the same backbone: a decoder or an encoder.
  package let model: any ModelConfiguration
  /// Names of the classes or numbers, in the order of the scores.
  package let labels: [String]
  /// The meaning of the scores.
  package let problem: Problem
  /// The padding id, which is never the last token that a decoder's head reads; nil for none.
  package let padding: Int?

  /// - Parameters:
  ///   - model: The language model with the same backbone.
  ///   - labels: Names of the classes or numbers, distinct, at least one.
  ///   - problem: The meaning of the scores.
  ///   - padding: The padding id; nil for none.
  package init(
    _ model: any ModelConfiguration, labels: [String], problem: Problem, padding: Int?
  ) throws(ModelError) {
    try Labels.check(labels)
    if let padding, !(0..<model.vocabulary).contains(padding) {
      throw .inconsistent(
        "The padding id \(padding) is outside the model's vocabulary 0..<\(model.vocabulary).")
    }
    self.model = model
    self.labels = labels
    self.problem = problem
    self.padding = padding
  }

  /// Reads the keys of a network with the backbone of `model`; without labels, Hugging Face's
  /// defaults.
  init(_ fields: ConfigurationFields, _ model: any ModelConfiguration) throws(ModelError) {
    let labels = try fields.labels()
    let problem = try fields.choice(
      "problem_type", default: labels.count == 1 ? Problem.regression : .classification)
    try self.init(
      model, labels: labels, problem: problem,
      padding: fields.padding(below: model.vocabulary) ?? model.padding)
  }

  /// The labels of a reward model.
  package static let rewardLabels = ["reward"]

  /// The kind of the network, for messages.
  package var kind: String {
    labels == Self.rewardLabels && problem == .regression
      ? "a reward model" : "a sequence classifier"
  }

  /// The name of the module that computes the scores.
  var head: String { usesFirstToken ? "classifier" : "score" }

  /// The modules that the language model does not have: they are initialised randomly when training
  /// starts from it, and trained in full under LoRA.
  package var heads: [String] { usesFirstToken ? [Pooler.name, head] : [head] }

  /// True for an encoder, whose head uses the first token; a decoder's head uses the last.
  private var usesFirstToken: Bool { model.prediction.isBidirectional }

  package func build(_ parameters: Parameters) -> SequenceClassifier {
    SequenceClassifier(self, parameters)
  }

  /// Hugging Face's keys: those of the model, and the labels.
  package var json: [String: ConfigurationValue] {
    var json = model.json
    json["architectures"] = .list([.text(model.architecture.name(withHead: Self.suffix))])
    json.merge(Labels.keys(labels)) { $1 }
    json["problem_type"] = .text(problem.rawValue)
    json["pad_token_id"] = padding.map { .integer($0) } ?? .null
    return json
  }

  /// The suffix of the architectures of sequence classifiers.
  static let suffix = "ForSequenceClassification"

  package static func == (a: Self, b: Self) -> Bool { a.json == b.json }
}
