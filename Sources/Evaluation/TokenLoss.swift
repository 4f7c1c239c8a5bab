// "Losses and quality measures of models. Returns tallies; never divides across ranks itself."

import Datasets
import Layers
import Models
import Tensors

extension Batch {
  /// The encoder input of the batch; nil for models without an encoder.
  package var encoderInput: EncoderInput? {
    sources.isEmpty ? nil : EncoderInput(ids: sources, lengths: sourceLengths)
  }
}

/// The cross-entropy loss of a language model on the targets of a batch: next tokens or masked
/// tokens.
package enum TokenLoss {
  /// Returns the losses of the targets of `batch` with a weight other than 0, in their order.
  ///
  /// Logits are computed for these targets only. The operations are recorded when the workspace
  /// records.
  package static func losses(
    _ model: any LanguageModel, _ batch: Batch, dropout: DropoutSource? = nil,
    recomputation: Recomputation = .none
  ) -> Tensor {
    let pass = ForwardPass(
      sequences: batch.sequences, dropout: dropout, recomputation: recomputation,
      starts: batch.starts, encoderInput: batch.encoderInput)
    return losses(model, hidden: model.hidden(batch.inputs, pass), batch, pass)
  }

  /// Returns the losses, given the hidden states that the model computed for `batch`.
  package static func losses(
    _ model: any LanguageModel, hidden: Tensor, _ batch: Batch, _ pass: ForwardPass
  ) -> Tensor {
    let positions = batch.weights.indices.filter { batch.weights[$0] != 0 }
    let usesAllRows = positions.count == batch.weights.count
    let rows = usesAllRows ? hidden : hidden.rows(at: positions)
    return model.transform(rows, pass).crossEntropy(
      head: model.head.weight, bias: model.head.bias,
      targets: usesAllRows ? batch.targets : positions.map { batch.targets[$0] },
      weights: usesAllRows ? batch.weights : positions.map { batch.weights[$0] })
  }

  /// Returns the sum of the losses of `batch` and the sum of its weights, as plain numbers without
  /// a gradient.
  package static func sum(
    _ model: any LanguageModel, _ batch: Batch
  ) -> (sum: Double, count: Double) {
    (losses(model, batch).total, batch.weights.reduce(0) { $0 + Double($1) })
  }
}
