import Checkpoints
import Datasets
import Models
import Training

/// The models and tokenizers that earlier stages of a recipe will make, by their folders.
package struct PlannedArtifacts {
  package var models: [String: any ModelConfiguration] = [:]
  /// The vocabulary sizes of the tokenizers.
  package var vocabularies: [String: Int] = [:]

  package init() {}

  /// Returns the model that will be, or is, in `folder`.
  func model(in folder: String) throws -> any ModelConfiguration {
    try models[folder] ?? ModelFolder(path: folder).configuration
  }
}

/// The sizes of a run from its keys alone.
///
/// Its data and initial model need not exist yet, as in a recipe whose earlier stages have not been
/// run.
package struct PhaseSketch {
  /// The sampling of completions in reinforcement learning.
  struct Rollouts {
    let options: RolloutOptions
    let stepsPerIteration: Int
    let hasRewardModel: Bool
  }

  /// The plan of the run, with a placeholder for its tokenizer.
  package var plan: TrainingPlan
  /// The step from which an interrupted run continues.
  package var firstStep = 0
  /// The mean sizes of a row; nil for the whole contexts of the plan.
  package var rowSizes: RowSizes?
  /// The phase with its data and models, for timing; nil to time arbitrary tokens.
  package var timed: (plan: TrainingPlan, phase: PreparedPhase)?
  /// The sampling of completions; nil for phases without.
  var rollouts: Rollouts?
  /// The number of tokens per evaluation, for pretraining; 0 for other phases.
  var evaluatedTokens = 0
  /// The number of parameters of frozen models beside the trained one.
  var frozenModelParameters = 0

  /// The numbers of trained and of frozen parameters of the network, without padding.
  package var parameters: (trained: Int, frozen: Int) { plan.parameters }

  /// The sizes of a row of a step that is timed.
  var timedSizes: RowSizes {
    rowSizes ?? RowSizes(context: plan.context, sourceContext: plan.sourceContext)
  }

  /// The number of positions in a step, padding included.
  package var tokensPerStep: Int {
    plan.microBatches * plan.rows * (timedSizes.context + timedSizes.sourceContext)
  }

  /// Estimates the bytes that a rank needs, without activations.
  package func memory(ranks: Int, threads: Int) -> Int {
    plan.memory(ranks: ranks, threads: threads) + plan.precision.weightBytes * frozenModelParameters
  }
}

/// The numbers of positions of a row of a micro-batch, with padding.
package struct RowSizes: Equatable {
  /// Positions of the decoder's or encoder's inputs.
  package let context: Int
  /// Positions of a sequence-to-sequence model's encoder input; 0 without.
  package let sourceContext: Int
}

extension RowSizes {
  /// The means over the first micro-batches of `source`; `plan` says how many rows one has.
  init(_ source: any BatchSource, _ plan: TrainingPlan) throws {
    let count = 16
    var (batch, inputs, sources) = (Batch(), 0, 0)
    for number in 0..<count {
      try source.fill(
        &batch, step: number / plan.microBatches, microBatch: number % plan.microBatches)
      inputs += batch.inputs.count
      sources += batch.sources.count
    }
    let rows = count * plan.rows
    self.init(
      context: max(1, (inputs + rows - 1) / rows), sourceContext: (sources + rows - 1) / rows)
  }
}
