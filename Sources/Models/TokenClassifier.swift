// Token classification (tagging), as Hugging Face's `BertForTokenClassification`: a linear layer on
// the hidden states of an encoder. It is a language model whose vocabulary is the set of classes.
import Layers
import Tensors

/// A backbone with a head that computes the logits of classes for every token.
package struct TokenClassifier: LanguageModel {
  private let backbone: any Backbone
  private let dropout: Dropout
  /// Hidden state → logits of the classes.
  package let head: Linear

  init(_ configuration: TokenClassifierConfiguration, _ parameters: Parameters) {
    let model = configuration.model
    backbone = model.backbone(parameters)
    dropout = Dropout(rate: model.classifierDropout, site: 3 * model.layers + 1)
    head = Linear(
      parameters[TokenClassifierConfiguration.head], inputs: model.width,
      outputs: configuration.labels.count, bias: true, std: model.initialStd,
      isHead: true)
  }

  /// Returns the hidden states after dropout.
  package func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor {
    dropout(backbone.hidden(ids, pass), pass)
  }
}

/// The configuration of a token classifier: its encoder, and the names of the classes.
package struct TokenClassifierConfiguration: NetworkConfiguration {
  /// The masked language model with the same encoder.
  package let model: any ModelConfiguration
  /// Names of the classes, in the order of the logits.
  package let labels: [String]

  /// - Parameters:
  ///   - model: A masked language model.
  ///   - labels: Names of the classes, distinct, at least one.
  package init(_ model: any ModelConfiguration, labels: [String]) throws(ModelError) {
    guard model.prediction.isBidirectional else {
      throw .inconsistent(
        "A token classifier needs an encoder, which sees the tokens on both sides, and this model "
          + "is none: start from a masked language model such as BERT.")
    }
    try Labels.check(labels)
    self.model = model
    self.labels = labels
  }

  init(_ fields: ConfigurationFields, _ model: any ModelConfiguration) throws(ModelError) {
    try self.init(model, labels: fields.labels())
  }

  /// The name of the module that computes the logits.
  package static let head = "classifier"

  /// The suffix of the architectures of token classifiers.
  static let suffix = "ForTokenClassification"

  /// Hugging Face's keys: those of the encoder, and the labels.
  package var json: [String: ConfigurationValue] {
    var json = model.json.merging(Labels.keys(labels)) { $1 }
    json["architectures"] = .list([.text(model.architecture.name(withHead: Self.suffix))])
    return json
  }

  package func build(_ parameters: Parameters) -> TokenClassifier {
    TokenClassifier(self, parameters)
  }

  package static func == (a: Self, b: Self) -> Bool { a.json == b.json }
}
