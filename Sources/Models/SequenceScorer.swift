// A model that gives numbers to a whole sequence, as Hugging Face's `…ForSequenceClassification`:
// a linear map without bias on the hidden state of a decoder's last token, or one with a bias on what
// an encoder's pooler makes of the first. One number: a reward or another value; several: the logits
// of classes.
import Layers
import Tensors

/// A trunk with a score for every sequence.
public struct SequenceScorer {
  private let trunk: any Trunk
  private let pooler: Pooler?
  private let score: Linear

  init(_ configuration: SequenceScorerConfiguration, _ parameters: Parameters) {
    let model = configuration.model
    trunk = model.trunk(parameters)
    pooler = model.pooler(parameters)
    score = Linear(
      parameters[configuration.head], inputs: model.width,
      outputs: configuration.labels.count, bias: pooler != nil, deviation: model.initialDeviation,
      isHead: true)
  }

  /// Scores of every sequence, [sequences, labels], in fp32.
  ///
  /// - Parameters:
  ///   - ids: Sequence after sequence, all of one length, padded at their ends.
  ///   - lengths: Tokens of every sequence that are no padding, each at least 1; empty when there is
  ///     no padding.
  ///   - pass: How many sequences there are, and what else the layers need.
  public func callAsFunction(_ ids: [Int32], lengths: [Int32], _ pass: ForwardPass) -> Tensor {
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
    let hidden = trunk.hidden(ids, pass.keepingPaddingApart(lengths, length: length))
    let first = hidden.rows(at: (0..<pass.sequences).map { $0 * length })
    return score(pooler(first, pass), precise: true)
  }

  /// A decoder's scores at the rows `places`, [places.count, labels]: the last tokens of examples that
  /// share sequences.
  public func callAsFunction(_ ids: [Int32], at places: [Int], _ pass: ForwardPass) -> Tensor {
    precondition(pooler == nil, "an encoder reads one example a sequence")
    return score(trunk.hidden(ids, pass).rows(at: places), precise: true)
  }
}
