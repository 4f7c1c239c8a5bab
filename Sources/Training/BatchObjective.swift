import Datasets
import Objectives
import Tensors

/// An objective on the batches of a source.
package protocol BatchObjective: Objective {
  /// The source of the batches.
  var source: any BatchSource { get }

  /// The number of networks that read every batch, for tokens per second.
  var networks: Int { get }

  /// Returns the loss of `batch`.
  func loss(of batch: Batch, on replica: Replica, _ microBatch: MicroBatch) -> Loss
}

extension BatchObjective {
  package var networks: Int { 1 }

  package func loss(of microBatch: MicroBatch, on replica: Replica, in workspace: Workspace) throws
    -> MicroBatchLoss
  {
    try replica.read(microBatch, from: source, workspace)
    return MicroBatchLoss(
      loss: loss(of: replica.batch, on: replica, microBatch),
      positions: networks * replica.batch.positions)
  }

  package func epochs(steps: Int) -> Double { source.epochsSeen(steps) }
}
