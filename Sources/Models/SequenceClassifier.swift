// Sequence classification and regression, as Hugging Face's `…ForSequenceClassification`: a linear
// layer without bias on the hidden state of a decoder's last token that is not padding, or one with
// bias on the output of an encoder's pooler, which reads the first token. One output is a reward or
// another number; several are the logits of classes.
import Layers
import Tensors

/// A backbone with a head that computes scores for every text.
package struct SequenceClassifier {
  private let backbone: any Backbone
  private let pooler: Pooler?
  private let score: Linear
  private let padding: Int32?

  init(_ configuration: SequenceClassifierConfiguration, _ parameters: Parameters) {
    let model = configuration.model
    padding = configuration.padding.map { Int32($0) }
    backbone = model.backbone(parameters)
    pooler = model.pooler(parameters)
    score = Linear(
      parameters[configuration.head], inputs: model.width,
      outputs: configuration.labels.count, bias: pooler != nil, std: model.initialStd,
      isHead: true)
  }

  /// Returns the scores of every example, [examples, labels], in fp32.
  ///
  /// - Parameters:
  ///   - ids: Token ids of the examples, one after another.
  ///   - examples: The positions of every example, at least one each.
  ///   - pass: The starts of the examples, and the settings of the layers.
  package func callAsFunction(
    _ ids: [Int32], examples: [Range<Int>], _ pass: ForwardPass
  ) -> Tensor {
    let hidden = backbone.hidden(ids, pass)
    guard let pooler else {
      let last = examples.map { places in
        places.last { ids[$0] != padding } ?? places.lowerBound
      }
      return score(hidden.rows(at: last), fp32Output: true)
    }
    let first = hidden.rows(at: examples.map(\.lowerBound))
    return score(pooler(first, pass), fp32Output: true)
  }
}
