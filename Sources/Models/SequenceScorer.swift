// A decoder that gives numbers to a whole sequence, as Hugging Face's `…ForSequenceClassification`:
// a linear map without bias on the hidden state of the last token. One number: a reward or another
// value; several: the logits of classes.
import Layers
import Tensors

/// A trunk with a score for every sequence.
public struct SequenceScorer {
  private let trunk: any Trunk
  private let score: Linear

  init(_ configuration: SequenceScorerConfiguration, _ parameters: Parameters) {
    let model = configuration.model
    trunk = model.trunk(parameters)
    score = Linear(
      parameters["score"], inputs: model.width, outputs: configuration.labels.count, bias: false,
      deviation: model.initialDeviation, isHead: true)
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
    return self(
      ids,
      at: (0..<pass.sequences).map {
        $0 * length + (lengths.isEmpty ? length : Int(lengths[$0])) - 1
      }, pass)
  }

  /// Scores at the rows `places`, [places.count, labels]: the last tokens of examples that share
  /// sequences.
  public func callAsFunction(_ ids: [Int32], at places: [Int], _ pass: ForwardPass) -> Tensor {
    score(trunk.hidden(ids, pass).rows(at: places), precise: true)
  }
}
