import Datasets
import Objectives
import Tensors

/// An objective on the batches of a source.
package protocol BatchObjective: Objective {
  /// The source of the batches.
  var source: any BatchSource { get }

  /// Returns the number of tokens of `batch` that the step learns from.
  func tokens(of batch: Batch) -> Int

  /// Returns the loss of `batch`.
  func loss(of batch: Batch, on replica: Replica, _ microBatch: MicroBatch) -> Loss
}

extension BatchObjective {
  package func tokens(of batch: Batch) -> Int { batch.tokens }

  package func loss(of microBatch: MicroBatch, on replica: Replica, in workspace: Workspace) throws
    -> MicroBatchLoss
  {
    try replica.read(microBatch, from: source, workspace)
    return MicroBatchLoss(
      loss: loss(of: replica.batch, on: replica, microBatch),
      tokens: tokens(of: replica.batch))
  }

  package func epochs(steps: Int) -> Double { source.epochsSeen(steps) }
}
