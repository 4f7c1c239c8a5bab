import Datasets
import Objectives
import Tensors

/// The cross-entropy of the targets of a batch: next tokens, masked tokens, corrupted spans, tags,
/// or tokens of answers, by the source of the batches.
package struct TokenObjective: Objective {
  private let source: any BatchSource

  package init(_ source: any BatchSource) {
    self.source = source
  }

  /// Returns the cross-entropy of the batch's targets, weighted by the loss mask.
  package func loss(of microBatch: MicroBatch, on replica: Replica, in workspace: Workspace) throws
    -> MicroBatchLoss
  {
    try replica.read(microBatch, from: source, workspace)
    let losses = replica.model.tokenLosses(
      replica.batch, dropout: microBatch.dropout,
      recomputation: microBatch.recomputation)
    return MicroBatchLoss(
      loss: Loss(losses, count: replica.batch.weight), positions: replica.batch.positions)
  }

  package func epochs(steps: Int) -> Double { source.epochsSeen(steps) }
}
