import Configuration
import Training

/// The keys of an alignment run.
package struct AlignmentOptions: PhaseOptions {
  /// The keys of every run.
  package var training: TrainingOptions
  /// The initial model, which is also the reference model.
  package var start: StartOptions
  /// LoRA adapters.
  package var adapters: AdapterOptions
  /// The alignment method.
  package var method: AlignmentMethod
  /// Prompts, pairs for DPO, or answers with a label for KTO.
  package var data: ExampleDataOptions
  /// The reward.
  package var reward: RewardSourceOptions
  /// Sampling of completions.
  package var rollouts: RolloutOptions
  /// The loss and advantages of methods that learn from rewards.
  package var policy: PolicyOptions
  /// The loss of DPO.
  package var preference: PreferenceOptions
  /// The loss of KTO.
  package var unpairedPreference: UnpairedPreferenceOptions
  /// True to end the run when the policy has collapsed; see `Measures.collapse(vocabulary:)`.
  package var endsOnCollapse: Bool

  package var inputs: [String] {
    [start.from] + data.inputs + (reward.model.map { [$0] } ?? [])
  }

  /// Reads every key; throws for values that are invalid by themselves or together.
  package init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    let runOptions = try RunOptions(&reader, run: "runs/aligned")
    start = try StartOptions(&reader)
    adapters = try AdapterOptions(&reader)
    method = AlignmentMethod(
      name: try reader.choice(
        "method", of: AlignmentMethod.names, default: PPO.name,
        help: "dpo learns from preference pairs, kto from answers called good or bad, the others "
          + "from rewards of sampled completions"))
    data = try ExampleDataOptions(
      &reader, what: "prompts (pairs for dpo, answers with a label for kto)")
    try data.refuseTruncation(reader, of: method.example)
    reward = try RewardSourceOptions(&reader)
    rollouts = try RolloutOptions(&reader)
    policy = try PolicyOptions(&reader)
    preference = try PreferenceOptions(&reader)
    unpairedPreference = try UnpairedPreferenceOptions(&reader)
    var defaults = TrainingOptions.Defaults()
    defaults.steps = 200
    defaults.sequences = 4
    defaults.sequencesHelp = "completions (pairs for dpo, answers for kto) per micro-batch"
    defaults.learningRate = 1e-5
    defaults.weightDecay = 0
    defaults.warmup = 10
    defaults.spike = 0
    training = try TrainingOptions(&reader, runOptions, defaults: defaults)
    endsOnCollapse = try reader.boolean(
      "guard.collapse", default: true, decidesBits: training.onSpike.action == .rollback,
      help: "ends the run when sampled completions, or the chosen or good answers of dpo and kto, "
        + "are no likelier than random tokens")
    try reader.refuse(
      method.unusedKeys, because: "it has no effect with method: \(method.name); leave it out")
    if method.answers == .kto, training.sequences < 2 {
      throw reader.rejection(
        of: "batch.sequences",
        because: "kto estimates the KL from the prompts of a micro-batch with answers to other "
          + "prompts, and one has no other; choose 2 or more")
    }
    guard let policyMethod = method.policy else { return }
    if training.diloco != nil {
      throw reader.rejection(
        of: "sync",
        because:
          "\(method.name) samples completions from the weights on which all ranks agree before "
          + "each iteration, and with diloco they agree only after a round; choose exact")
    }
    if let dropout = adapters.lora?.dropout, dropout > 0 {
      throw reader.rejection(
        of: "lora.dropout",
        because: "\(method.name) gives completions the probabilities with which they were sampled, "
          + "without dropout; leave it out")
    }
    if rollouts.samples < policyMethod.minimumSamples {
      throw reader.rejection(
        of: "rollouts.samples",
        because: "\(method.name) compares the completions of a prompt, and \(rollouts.samples) is "
          + "too few; choose \(policyMethod.minimumSamples) or more")
    }
    let step = training.microBatches * training.sequences
    if rollouts.count % step != 0 {
      throw reader.rejection(
        of: "rollouts.prompts",
        because: "\(rollouts.prompts) prompts × \(rollouts.samples) samples are \(rollouts.count) "
          + "completions, which is no multiple of the \(step) of an optimizer step "
          + "(batch.microBatches × batch.sequences); choose a multiple")
    }
    if training.epochs == nil && training.steps % stepsPerIteration != 0 {
      throw reader.rejection(
        of: "steps",
        because: "\(training.steps) is no multiple of the \(stepsPerIteration) optimizer steps of "
          + "a rollout iteration; choose "
          + "\(max(1, training.steps / stepsPerIteration) * stepsPerIteration)")
    }
  }

  /// Refuses a policy without any reward.
  func requireRewards(_ reader: ConfigurationReader) throws(ConfigurationError) {
    if method.samples && reward.model == nil && reward.rule == nil && reward.command == nil {
      throw reader.rejection(
        of: "method",
        because: "\(method.name) needs rewards; set reward.model, reward.rule or reward.command")
    }
  }

  /// Optimizer steps per rollout iteration.
  var stepsPerIteration: Int {
    method.samples
      ? policy.epochs * rollouts.count / (training.microBatches * training.sequences) : 1
  }
}
