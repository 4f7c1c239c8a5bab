import Layers
import Monitoring
import Objectives
import Tensors

/// What a phase minimises, one micro-batch at a time.
///
/// Called on the workers' threads, at the same time for different micro-batches; what it returns
/// depends on the micro-batch and the weights alone, never on who computes it.
public protocol Objective: Sendable {
  /// Whether its losses come with measures, which are then exchanged with them.
  var measures: Bool { get }

  /// The loss of `microBatch`, recorded on the tape of `workspace`.
  func loss(of microBatch: MicroBatch, on replica: Replica, in workspace: Workspace) throws
    -> MicroBatchLoss

  /// How many times so many steps read all of the data.
  func epochs(steps: Int) -> Double

  /// Makes ready what the next step needs.
  ///
  /// Collective.
  func prepare(_ trainer: Trainer) throws

  /// What `prepare` has to say of itself, for the step's line.
  var figures: [Figure] { get }

  /// What is not well in the measures of a step, a sentence each.
  func findings(in measures: Measures) -> [String]
}

extension Objective {
  /// The loss says all.
  public var measures: Bool { false }

  /// Nothing.
  public func prepare(_ trainer: Trainer) throws {}

  /// None.
  public var figures: [Figure] { [] }

  /// None.
  public func findings(in measures: Measures) -> [String] { [] }
}

/// The place of a micro-batch in a run, and how it is computed.
public struct MicroBatch: Sendable {
  /// Steps done before.
  public let step: Int
  /// Its number in the step.
  public let index: Int
  /// The run's seed.
  public let seed: UInt64
  /// What the backward pass computes once more.
  public let recomputation: Recomputation

  /// Where its dropout masks come from.
  var dropout: DropoutSource { DropoutSource(seed: seed, step: step, microBatch: index) }
}

/// What one micro-batch came to.
public struct MicroBatchLoss {
  /// The loss as a sum, and what it will be divided by, once, over all micro-batches.
  public let loss: Loss
  /// Positions that went through the network, for the rate.
  public let positions: Int
}
