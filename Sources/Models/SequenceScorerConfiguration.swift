import Tensors

/// A sequence scorer: a model's sizes, and what its scores mean.
public struct SequenceScorerConfiguration: NetworkConfiguration {
  /// What is asked of the scores; Hugging Face's `problem_type`.
  public enum Problem: String, Sendable, CaseIterable {
    /// The largest is the class.
    case classification = "single_label_classification"
    /// Each is a number of its own.
    case regression
  }

  /// The decoder.
  public let model: any ModelConfiguration
  /// Names of the classes or numbers, in the order of the scores.
  public let labels: [String]
  /// What the scores mean.
  public let problem: Problem
  /// The id that fills the ends of shorter sequences.
  public let padding: Int

  /// - Parameters:
  ///   - model: The decoder.
  ///   - labels: Names of the classes or numbers; different, at least one.
  ///   - problem: What the scores mean.
  ///   - padding: The id that fills the ends of shorter sequences.
  public init(
    _ model: any ModelConfiguration, labels: [String], problem: Problem, padding: Int
  ) throws(ModelError) {
    try Labels.check(labels)
    guard (0..<model.vocabulary).contains(padding) else {
      throw .inconsistent(
        "The padding id \(padding) is outside the model's vocabulary 0..<\(model.vocabulary).")
    }
    self.model = model
    self.labels = labels
    self.problem = problem
    self.padding = padding
  }

  /// Reads a file of a network whose decoder is `model`; labels without names are called as Hugging
  /// Face calls them.
  init(_ fields: ConfigurationFields, _ model: any ModelConfiguration) throws(ModelError) {
    let labels = try fields.labels()
    let problem = try fields.text(
      "problem_type",
      default: (labels.count == 1 ? Problem.regression : .classification).rawValue)
    guard let problem = Problem(rawValue: problem) else {
      throw .unsupported(
        path: fields.path, key: "problem_type", value: problem,
        supported: Problem.allCases.map(\.rawValue).joined(separator: ", "))
    }
    let end = try fields.id("eos_token_id", below: model.vocabulary, default: 0)
    try self.init(
      model, labels: labels, problem: problem,
      padding: fields.id("pad_token_id", below: model.vocabulary, default: end))
  }

  /// The name of the module that gives the scores.
  var head: String { readsFirst ? "classifier" : "score" }

  /// Modules that are drawn where the model alone is at hand: under LoRA they are trained whole.
  public var heads: [String] { readsFirst ? [Pooler.name, head] : [head] }

  /// Whether an encoder's first token is read, not a decoder's last.
  private var readsFirst: Bool { model.prediction == .maskedToken }

  /// The network with its parameters.
  public func build(_ parameters: Parameters) -> SequenceScorer {
    SequenceScorer(self, parameters)
  }

  /// Hugging Face's keys: those of the decoder, and the labels.
  public var json: [String: ConfigurationValue] {
    var json = model.json
    json["architectures"] = .list([.text(model.architecture(suffix: Self.suffix))])
    json.merge(Labels.keys(labels)) { $1 }
    json["problem_type"] = .text(problem.rawValue)
    json["pad_token_id"] = .integer(padding)
    return json
  }

  /// How the architectures of sequence scorers end.
  static let suffix = "ForSequenceClassification"

  /// Equal keys.
  public static func == (a: Self, b: Self) -> Bool { a.json == b.json }
}
