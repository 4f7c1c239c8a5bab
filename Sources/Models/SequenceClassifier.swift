// Sequence classification and regression, as Hugging Face's `…ForSequenceClassification`: a linear
// layer without bias on the hidden state of a decoder's last token, or one with bias on the output
// of an encoder's pooler, which reads the first token. One output is a reward or another number;
// several are the logits of classes.
import Layers
import Tensors

/// A backbone with a head that computes scores for every sequence.
package struct SequenceClassifier {
  private let backbone: any Backbone
  private let pooler: Pooler?
  private let score: Linear

  init(_ configuration: SequenceClassifierConfiguration, _ parameters: Parameters) {
    let model = configuration.model
    backbone = model.backbone(parameters)
    pooler = model.pooler(parameters)
    score = Linear(
      parameters[configuration.head], inputs: model.width,
      outputs: configuration.labels.count, bias: pooler != nil, std: model.initialStd,
      isHead: true)
  }

  /// Returns the scores of every sequence, [sequences, labels], in fp32.
  ///
  /// - Parameters:
  ///   - ids: Token ids, sequence after sequence, padded at their ends to one length.
  ///   - lengths: Number of tokens of every sequence without its padding, each at least 1; empty
  ///     when there is no padding.
  ///   - pass: The number of sequences, and the settings of the layers.
  package func callAsFunction(_ ids: [Int32], lengths: [Int32], _ pass: ForwardPass) -> Tensor {
    let length = ids.count / pass.sequences
    precondition(
      lengths.isEmpty
        || lengths.count == pass.sequences
          && lengths.allSatisfy { (1...length).contains(Int($0)) },
      "lengths \(lengths) of \(pass.sequences) sequences of \(length)")
    guard let pooler else {
      return self(
        ids,
        at: (0..<pass.sequences).map {
          $0 * length + (lengths.isEmpty ? length : Int(lengths[$0])) - 1
        }, pass)
    }
    let hidden = backbone.hidden(ids, pass.maskingPadding(lengths, length: length))
    let first = hidden.rows(at: (0..<pass.sequences).map { $0 * length })
    return score(pooler(first, pass), fp32Output: true)
  }

  /// Returns a decoder's scores at the rows `places`, the last tokens of examples packed into
  /// sequences: [places.count, labels], in fp32.
  package func callAsFunction(_ ids: [Int32], at places: [Int], _ pass: ForwardPass) -> Tensor {
    precondition(pooler == nil, "an encoder takes one example per sequence")
    return score(backbone.hidden(ids, pass).rows(at: places), fp32Output: true)
  }
}
