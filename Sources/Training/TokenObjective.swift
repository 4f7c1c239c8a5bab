import Datasets
import Evaluation
import Objectives
import Tensors

/// The targets of a batch that count: next or masked tokens of texts, tokens of answers.
///
/// Such objectives differ in where their batches come from.
public struct TokenObjective: Objective {
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
    let losses = TokenLoss.losses(
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
  var positions: Int { inputs.count + sources.count }
}
