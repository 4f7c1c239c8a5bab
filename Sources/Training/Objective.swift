import Layers
import Monitoring
import Objectives
import Tensors

/// The loss that a phase minimises, one micro-batch at a time.
///
/// Called on the workers' threads, at the same time for different micro-batches. The result depends
/// on the micro-batch and the weights alone, never on the worker that computes it.
package protocol Objective: Sendable {
  /// True when the losses come with `Measures`, which are then exchanged between the ranks.
  var hasMeasures: Bool { get }

  /// The name of the loss in the log line.
  var lossName: String { get }

  /// Returns the loss of `microBatch`, recorded on the tape of `workspace`.
  func loss(of microBatch: MicroBatch, on replica: Replica, in workspace: Workspace) throws
    -> MicroBatchLoss

  /// Returns the number of epochs over the training data in `steps` steps.
  func epochs(steps: Int) -> Double

  /// Prepares the next step, for example by sampling completions.
  ///
  /// Collective.
  func prepare(_ context: TrainingContext) throws -> StepPreparation

  /// Returns the warnings about the measures of a step, a sentence each.
  func warnings(in measures: Measures) -> [String]

  /// Returns the reason why a step's measures show a collapsed policy, as a clause; nil when they do
  /// not.
  ///
  /// The run then ends with exit code 3.
  ///
  /// - Parameter vocabulary: The number of tokens that the model chooses from.
  func divergence(in measures: Measures, vocabulary: Int) -> String?

  /// Returns the mean loss of a guess without the input, such as a uniform one; nil where no such
  /// guess tells a diverged run.
  ///
  /// - Parameter vocabulary: The number of tokens that the model chooses from.
  func guessLoss(vocabulary: Int) -> Double?
}

extension Objective {
  package var hasMeasures: Bool { false }

  package var lossName: String { "loss" }

  package func prepare(_ context: TrainingContext) -> StepPreparation { StepPreparation() }

  package func warnings(in measures: Measures) -> [String] { [] }

  package func divergence(in measures: Measures, vocabulary: Int) -> String? { nil }

  package func guessLoss(vocabulary: Int) -> Double? { nil }
}

/// The result of preparing a step.
package struct StepPreparation {
  /// Figures for the report of the step.
  package var figures: [Figure] = []
  /// Warnings for the report of the step, a sentence each.
  package var warnings: [String] = []
  /// New values of the phase's variables; see `TrainingContext.variables`.
  package var variables: [String: Double] = [:]

  package init(
    figures: [Figure] = [], warnings: [String] = [], variables: [String: Double] = [:]
  ) {
    self.figures = figures
    self.warnings = warnings
    self.variables = variables
  }
}

/// The position of a micro-batch in a run, and the settings of its forward and backward pass.
package struct MicroBatch: Sendable {
  /// The number of steps done before.
  package let step: Int
  /// Its index in the step.
  package let index: Int
  /// The run's seed.
  package let seed: UInt64
  /// The activations that the backward pass recomputes.
  package let recomputation: Recomputation

  /// Returns the micro-batch of the same index in another step.
  package func at(step: Int) -> MicroBatch {
    MicroBatch(step: step, index: index, seed: seed, recomputation: recomputation)
  }

  /// The source of its dropout masks.
  package var dropout: DropoutSource { DropoutSource(seed: seed, step: step, microBatch: index) }
}

/// The loss and the number of tokens of one micro-batch.
package struct MicroBatchLoss {
  /// The summed loss with the count that divides it, once, over all micro-batches.
  package let loss: Loss
  /// Tokens that the step learns from, without padding, each counted once; for tokens per second.
  package let tokens: Int

  package init(loss: Loss, tokens: Int) {
    self.loss = loss
    self.tokens = tokens
  }
}
