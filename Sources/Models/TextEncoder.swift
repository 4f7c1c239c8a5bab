// Text embeddings: the mean of the hidden states of a text's tokens, as in sentence encoders
// (Reimers & Gurevych 2019), or the output of an encoder's pooler, which reads the first token.
import Layers
import Tensors

/// A backbone that computes embeddings of texts, as Hugging Face's `BertModel`.
package struct TextEncoder {
  private let backbone: any Backbone
  private let pooler: Pooler?

  init(_ configuration: TextEncoderConfiguration, _ parameters: Parameters) {
    backbone = configuration.model.backbone(parameters)
    pooler = configuration.hasPooler ? configuration.model.pooler(parameters) : nil
  }

  /// Returns the mean of the hidden states of each text, [texts][width].
  ///
  /// - Parameters:
  ///   - ids: Token ids of the texts, one after another.
  ///   - texts: The positions of every text, at least one each.
  ///   - pass: The starts of the texts, and the settings of the layers.
  package func mean(_ ids: [Int32], texts: [Range<Int>], _ pass: ForwardPass) -> [[Float]] {
    let hidden = backbone.hidden(ids, pass)
    let values = hidden.values
    return texts.map { rows in
      var sums = [Double](repeating: 0, count: hidden.columns)
      for row in rows {
        for column in sums.indices { sums[column] += Double(values[row * hidden.columns + column]) }
      }
      return sums.map { Float($0 / Double(rows.count)) }
    }
  }

  /// Returns the pooler's output for each text, [texts][width], as `mean` does; nil without a
  /// pooler.
  package func pooled(_ ids: [Int32], texts: [Range<Int>], _ pass: ForwardPass) -> [[Float]]? {
    guard let pooler else { return nil }
    let first = backbone.hidden(ids, pass).rows(at: texts.map(\.lowerBound))
    let values = pooler(first, pass).values
    return texts.indices.map { Array(values[$0 * first.columns..<($0 + 1) * first.columns]) }
  }
}

/// The configuration of a `TextEncoder`.
package struct TextEncoderConfiguration: NetworkConfiguration {
  /// The language model with the same backbone.
  package let model: any ModelConfiguration
  /// True for a network with the weights of a pooler.
  package let hasPooler: Bool

  /// The backbone of `model`.
  package init(_ model: any ModelConfiguration, hasPooler: Bool = false) {
    self.model = model
    self.hasPooler = hasPooler
  }

  /// The suffix of the architectures of encoders without a head.
  static let suffix = "Model"

  /// Hugging Face's keys: those of the model, with the architecture of an encoder without a head.
  package var json: [String: ConfigurationValue] {
    var json = model.json
    json["architectures"] = .list([.text(model.architecture.name(withHead: Self.suffix))])
    return json
  }

  package func build(_ parameters: Parameters) -> TextEncoder { TextEncoder(self, parameters) }

  package static func == (a: Self, b: Self) -> Bool {
    a.json == b.json && a.hasPooler == b.hasPooler
  }
}
