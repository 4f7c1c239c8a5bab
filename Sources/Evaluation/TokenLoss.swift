// "How good is it. Returns tallies; never divides across ranks itself."

import Datasets
import Layers
import Models
import Tensors

extension Batch {
  /// What an encoder reads; nil where there is none.
  public var source: Source? {
    sources.isEmpty ? nil : Source(ids: sources, lengths: sourceLengths)
  }
}

/// The loss of a language model on the targets of a batch: next tokens, or masked ones.
public enum TokenLoss {
  /// The losses of the targets of `batch` that count, in their order, recorded if the workspace records.
  ///
  /// Of the rest no logits are computed.
  public static func losses(
    _ model: any LanguageModel, _ batch: Batch, dropout: DropoutSource? = nil,
    recomputation: Recomputation = .none
  ) -> Tensor {
    let pass = ForwardPass(
      sequences: batch.sequences, dropout: dropout, recomputation: recomputation,
      starts: batch.starts, source: batch.source)
    return losses(model, hidden: model.hidden(batch.inputs, pass), batch, pass)
  }

  /// The same from hidden states that are there already.
  public static func losses(
    _ model: any LanguageModel, hidden: Tensor, _ batch: Batch, _ pass: ForwardPass
  ) -> Tensor {
    let places = batch.weights.indices.filter { batch.weights[$0] != 0 }
    let isWhole = places.count == batch.weights.count
    let rows = isWhole ? hidden : hidden.rows(at: places)
    return model.transform(rows, pass).crossEntropy(
      head: model.head.weight, bias: model.head.bias,
      targets: isWhole ? batch.targets : places.map { batch.targets[$0] },
      weights: isWhole ? batch.weights : places.map { batch.weights[$0] })
  }

  /// The sum of the losses of `batch` and the number of its targets, without recording.
  public static func sum(_ model: any LanguageModel, _ batch: Batch) -> (sum: Double, count: Double)
  {
    (losses(model, batch).total, batch.weights.reduce(0) { $0 + Double($1) })
  }
}
