import Configuration

/// What the user typed about an alignment run: the keys of every run, and its own.
public struct AlignmentOptions: Sendable {
  /// How the policy learns.
  public enum Method: String, Sendable, CaseIterable {
    /// Proximal policy optimization with a value head (Schulman and others 2017).
    case ppo
    /// Group-relative policy optimization (Shao and others 2024).
    case grpo
    /// Direct preference optimization on pairs (Rafailov and others 2023).
    case dpo
  }

  /// The keys of every run.
  public var training: TrainingOptions
  /// The model that is aligned.
  public var start: StartOptions
  /// Low-rank adaptation.
  public var adapters: AdapterOptions
  /// How the policy learns.
  public var method: Method
  /// Prompts, or pairs for DPO.
  public var data: ExampleDataOptions
  /// Where rewards come from.
  public var reward: RewardSourceOptions
  /// How answers are sampled.
  public var rollouts: RolloutOptions
  /// How PPO and GRPO learn from them.
  public var policy: PolicyOptions
  /// How DPO learns.
  public var preference: PreferenceOptions

  /// Reads every key; refuses what the keys themselves cannot mean.
  public init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    let place = try RunPlace(&reader, run: "runs/aligned")
    start = try StartOptions(&reader)
    adapters = try AdapterOptions(&reader)
    method = try reader.choice(
      "method", default: .ppo, help: "ppo or grpo on sampled answers, dpo on pairs")
    data = try ExampleDataOptions(&reader, what: "prompts (or pairs for dpo)")
    try data.refuseCuts(reader, of: method == .dpo ? "an answer of a pair" : "a prompt")
    reward = try RewardSourceOptions(&reader)
    rollouts = try RolloutOptions(&reader)
    policy = try PolicyOptions(&reader)
    preference = try PreferenceOptions(&reader)
    var defaults = TrainingOptions.Defaults()
    defaults.steps = 200
    defaults.sequences = 4
    defaults.sequencesHelp = "answers (pairs for dpo) in a micro-batch"
    defaults.learningRate = 1e-5
    defaults.finalRate = 1e-6
    defaults.weightDecay = 0
    defaults.warmup = 10
    defaults.spike = 0
    training = try TrainingOptions(&reader, at: place, defaults: defaults)
    try refuseIdleKeys(reader)
    if method == .dpo { return }
    let step = training.microBatches * training.sequences
    if rollouts.count % step != 0 {
      throw reader.rejection(
        of: "rollouts.prompts",
        because: "\(rollouts.prompts) prompts × \(rollouts.samples) samples are \(rollouts.count) "
          + "answers, which is no multiple of the \(step) of an optimizer step "
          + "(batch.microBatches × batch.sequences); choose a multiple")
    }
    if training.steps % period != 0 {
      throw reader.rejection(
        of: "steps",
        because: "\(training.steps) is no multiple of the \(period) optimizer steps that learn "
          + "from the same answers; choose \(max(1, training.steps / period) * period)")
    }
  }

  /// Refuses a policy that nothing rewards.
  func requireRewards(_ reader: ConfigurationReader) throws(ConfigurationError) {
    if method != .dpo && !reward.isGiven {
      throw reader.rejection(
        of: "reward.model",
        because: "\(method.rawValue) needs rewards; name a reward model, reward.rule or "
          + "reward.command")
    }
  }

  /// Optimizer steps that learn from the same answers.
  var period: Int {
    method == .dpo
      ? 1 : policy.epochs * rollouts.count / (training.microBatches * training.sequences)
  }

  private func refuseIdleKeys(_ reader: ConfigurationReader) throws(ConfigurationError) {
    let idle: [String]
    switch method {
    case .dpo: idle = RewardSourceOptions.keys + RolloutOptions.keys + PolicyOptions.keys
    case .ppo: idle = PreferenceOptions.keys + ["policy.scaled"]
    case .grpo:
      idle = PreferenceOptions.keys + PolicyOptions.valueKeys + ["kl.target", "kl.horizon"]
    }
    for key in idle where reader.isChanged(key) {
      throw reader.rejection(
        of: key, because: "it has no effect with method: \(method.rawValue); leave it out")
    }
  }
}
