import Datasets
import Evaluation
import Objectives
import Tensors

/// The next token of every position that counts: pretraining, and fine-tuning with its masks.
public struct NextTokenObjective: Objective {
  private let source: any BatchSource

  /// - Parameter source: Where the batches come from.
  public init(_ source: any BatchSource) {
    self.source = source
  }

  /// The cross-entropy of the batch's targets, by their weights.
  public func loss(of microBatch: MicroBatch, on replica: Replica, in workspace: Workspace) throws
    -> MicroBatchLoss
  {
    try replica.read(microBatch, from: source, workspace)
    let losses = NextTokenLoss.losses(
      replica.model, replica.batch, dropout: microBatch.dropout,
      recomputation: microBatch.recomputation)
    return MicroBatchLoss(
      loss: Loss(losses, count: replica.batch.weight), positions: replica.batch.positions)
  }

  /// How many times so many steps read all of the data.
  public func epochs(steps: Int) -> Double { source.epochsSeen(steps) }
}

extension Batch {
  /// The sum of its weights.
  var weight: Double { weights.reduce(0) { $0 + Double($1) } }
  /// Positions that go through the network.
  var positions: Int { inputs.count }
}
