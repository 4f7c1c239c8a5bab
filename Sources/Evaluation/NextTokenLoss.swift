// "How good is it. Returns tallies; never divides across ranks itself."

import Datasets
import Layers
import Models
import Tensors

/// The loss of a causal model on token windows.
public enum NextTokenLoss {
  /// The per-token losses of `batch`, [sequences·context], recorded if the workspace records.
  public static func losses(
    _ model: any LanguageModel, _ batch: Batch, dropout: DropoutSource? = nil,
    recomputation: Recomputation = .none
  ) -> Tensor {
    let pass = ForwardPass(
      sequences: batch.sequences, dropout: dropout, recomputation: recomputation,
      starts: batch.starts)
    return model.hidden(batch.inputs, pass)
      .crossEntropy(head: model.head.weight, targets: batch.targets, weights: batch.weights)
  }

  /// The sum of the losses of `batch` and the number of its targets, without recording.
  public static func sum(_ model: any LanguageModel, _ batch: Batch) -> (sum: Double, count: Double)
  {
    (losses(model, batch).total, batch.weights.reduce(0) { $0 + Double($1) })
  }
}
