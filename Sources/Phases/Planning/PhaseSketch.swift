import Checkpoints
import Configuration
import Models
import Tensors
import Tokenizers
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

    init(_ options: RolloutOptions, stepsPerIteration: Int, hasRewardModel: Bool) {
      self.options = options
      self.stepsPerIteration = stepsPerIteration
      self.hasRewardModel = hasRewardModel
    }
  }

  /// The plan of the run, with a placeholder for its tokenizer.
  package let plan: TrainingPlan
  /// The sampling of completions; nil for phases without.
  let rollouts: Rollouts?
  /// The number of tokens per evaluation, for pretraining; 0 for other phases.
  let evaluatedTokens: Int
  /// The number of parameters of frozen models beside the trained one.
  private let frozenModelParameters: Int

  init(
    plan: TrainingPlan, rollouts: Rollouts? = nil, evaluatedTokens: Int = 0,
    frozenModelParameters: Int = 0
  ) {
    self.plan = plan
    self.rollouts = rollouts
    self.evaluatedTokens = evaluatedTokens
    self.frozenModelParameters = frozenModelParameters
  }

  /// The numbers of trained and of frozen parameters of the network, without padding.
  package var parameters: (trained: Int, frozen: Int) { plan.parameters }

  /// Estimates the bytes that a rank needs, without activations.
  package func memory(ranks: Int, threads: Int) -> Int {
    plan.memory(ranks: ranks, threads: threads) + plan.precision.weightBytes * frozenModelParameters
  }
}

extension TrainingPlan {
  /// The plan of a run whose tokenizer and initial model need not exist.
  init(
    sketching options: TrainingOptions, _ reader: ConfigurationReader, network: TrainedNetwork,
    lora: LoRA? = nil, rows: Int? = nil, context: Int?, sourceContext: Int? = nil,
    bf16IsFaster: Bool
  ) throws {
    try self.init(
      options, reader, tokenizer: ByteTokenizer(), network: network, lora: lora, rows: rows,
      context: context, sourceContext: sourceContext, bf16IsFaster: bf16IsFaster)
  }
}
