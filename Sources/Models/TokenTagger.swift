// An encoder that gives every token a class, as Hugging Face's `BertForTokenClassification`: a linear map
// of the hidden states. It is a language model whose vocabulary are the classes.
import Layers
import Tensors

/// A trunk with a class for every token.
public struct TokenTagger: LanguageModel {
  private let trunk: any Trunk
  private let dropout: Dropout
  /// Hidden state → logits of the classes.
  public let head: Linear

  init(_ configuration: TokenTaggerConfiguration, _ parameters: Parameters) {
    let model = configuration.model
    trunk = model.trunk(parameters)
    dropout = Dropout(rate: model.dropout, site: 3 * model.layers + 1)
    head = Linear(
      parameters[TokenTaggerConfiguration.head], inputs: model.width,
      outputs: configuration.labels.count, bias: true, deviation: model.initialDeviation,
      isHead: true)
  }

  /// The trunk's result.
  public func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor {
    dropout(trunk.hidden(ids, pass), pass)
  }
}

/// An encoder's sizes, and the names of the classes of its tokens.
public struct TokenTaggerConfiguration: NetworkConfiguration {
  /// The encoder.
  public let model: any ModelConfiguration
  /// Names of the classes, in the order of the logits.
  public let labels: [String]

  /// - Parameters:
  ///   - model: An encoder.
  ///   - labels: Names of the classes; different, at least one.
  public init(_ model: any ModelConfiguration, labels: [String]) throws(ModelError) {
    guard model.prediction == .maskedToken else {
      throw .inconsistent(
        "Tokens get classes from what is around them, and this model sees only what is before: begin "
          + "with a model of masked tokens, such as BERT.")
    }
    try Labels.check(labels)
    self.model = model
    self.labels = labels
  }

  init(_ fields: ConfigurationFields, _ model: any ModelConfiguration) throws(ModelError) {
    try self.init(model, labels: fields.labels())
  }

  /// The name of the module that gives the classes.
  public static let head = "classifier"

  /// How the architectures of such networks end.
  static let suffix = "ForTokenClassification"

  /// Hugging Face's keys: those of the encoder, and the labels.
  public var json: [String: ConfigurationValue] {
    var json = model.json.merging(Labels.keys(labels)) { $1 }
    json["architectures"] = .list([.text(model.architecture(suffix: Self.suffix))])
    return json
  }

  /// The network with its parameters.
  public func build(_ parameters: Parameters) -> TokenTagger { TokenTagger(self, parameters) }

  /// Equal keys.
  public static func == (a: Self, b: Self) -> Bool { a.json == b.json }
}
