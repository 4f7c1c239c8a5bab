import Configuration

/// Where rewards come from, as typed.
public struct RewardSourceOptions: Sendable {
  /// The folder of a reward model.
  public let model: String?
  /// Factor of its scores.
  public let weight: Double
  /// Whether a model without the verdict *fit* is taken.
  public let allowsUnfit: Bool
  /// A regular expression: 1 where it is found in the answer, else 0.
  public let rule: String?
  /// A command that is given answers as JSON lines and prints a number for each.
  public let command: String?
  /// Factor of the rule's or command's numbers.
  public let ruleWeight: Double
  /// Seconds a command may take.
  public let timeLimit: Double
  /// Taken off the reward of an answer that did not end by itself.
  public let unendedPenalty: Double

  static let keys = [
    "reward.model", "reward.weight", "reward.allowUnfit", "reward.rule", "reward.command",
    "reward.ruleWeight", "reward.timeLimit", "reward.unendedPenalty",
  ]

  /// Reads the keys.
  public init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    model = try reader.optionalString("reward.model", help: "run folder of apus reward")
    weight = try reader.number(
      "reward.weight", default: 1, help: "factor of the reward model's score")
    allowsUnfit = try reader.boolean(
      "reward.allowUnfit", default: false,
      help: "take a reward model whose verdict is unfit, or that has none")
    rule = try reader.optionalString(
      "reward.rule", help: "a regular expression: 1 where it is found in an answer, else 0")
    command = try reader.optionalString(
      "reward.command",
      help: "a command of the shell: reads {\"prompt\":…,\"answer\":…} lines, prints a number for "
        + "each")
    ruleWeight = try reader.number(
      "reward.ruleWeight", default: 1, help: "factor of what rule or command say")
    timeLimit = try reader.number(
      "reward.timeLimit", default: 30, in: 0.1...86_400, unit: "seconds",
      help: "a command that takes longer is ended, and its answers count as 0")
    unendedPenalty = try reader.number(
      "reward.unendedPenalty", default: 0, in: 0...,
      help: "taken off the reward of an answer that did not end by itself")
    if rule != nil && command != nil {
      throw reader.rejection(
        of: "reward.command", because: "there is reward.rule; keep one of them")
    }
    if let rule {
      do {
        _ = try Regex(rule)
      } catch {
        throw reader.rejection(
          of: "reward.rule", because: "it is no regular expression; check its brackets and escapes")
      }
    }
  }

  var isGiven: Bool { model != nil || rule != nil || command != nil }
}

/// How answers are sampled, as typed.
public struct RolloutOptions: Sendable {
  /// Prompts of an iteration.
  public let prompts: Int
  /// Answers to each.
  public let samples: Int
  /// Most tokens of an answer.
  public let tokens: Int
  /// Divides the logits.
  public let temperature: Double
  /// Answers that are generated together.
  public let batch: Int
  /// Whether sampling and training say the same to the last bit; see `Workspace.isBatchInvariant`.
  public let isBatchInvariant: Bool

  static let keys = [
    "rollouts.prompts", "rollouts.samples", "rollouts.tokens", "rollouts.temperature",
    "rollouts.batch", "rollouts.batchInvariant",
  ]

  /// Reads the keys.
  public init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    prompts = try reader.integer(
      "rollouts.prompts", default: 32, in: 1...1_000_000, help: "prompts of an iteration")
    samples = try reader.integer(
      "rollouts.samples", default: 1, in: 1...1024,
      help: "answers to each prompt; grpo needs several")
    tokens = try reader.integer(
      "rollouts.tokens", default: 128, in: 1...1_000_000, unit: "tokens", help: "longest answer")
    temperature = try reader.number(
      "rollouts.temperature", default: 1, in: 1e-3...100, help: "divides the logits of the policy")
    batch = try reader.integer(
      "rollouts.batch", default: 16, in: 1...4096,
      help: "answers that one worker generates together; decides the bits where batchInvariant is "
        + "false")
    isBatchInvariant = try reader.boolean(
      "rollouts.batchInvariant", default: true,
      help: "sampling and training give a token the same log-probability to the last bit; false "
        + "takes the library's products, quicker in bf16 where the CPU has AMX")
  }

  /// Answers of an iteration.
  var count: Int { prompts * samples }
}

/// How PPO and GRPO learn, as typed.
public struct PolicyOptions: Sendable {
  /// How often the answers of an iteration are learned from.
  public let epochs: Int
  /// How far a token's probability may move before its loss is clipped.
  public let clip: Double
  /// Factor of the entropy bonus.
  public let entropy: Double
  /// Factor of the KL to the reference: in the rewards (ppo) or in the loss (grpo).
  public let kl: Double
  /// KL of an answer in nats that an adaptive factor steers to; nil keeps it fixed.
  public let klTarget: Double?
  /// Answers over which it does so.
  public let klHorizon: Double
  /// γ.
  public let discount: Double
  /// λ of the generalized advantage.
  public let lambda: Double
  /// How far a value may move.
  public let valueClip: Double
  /// Factor of the value loss.
  public let valueWeight: Double
  /// Whether a group's rewards are divided by their deviation.
  public let isScaled: Bool

  static let keys =
    ["policy.epochs", "policy.clip", "policy.entropy", "kl.coefficient", "kl.target", "kl.horizon"]
    + valueKeys + ["policy.scaled"]
  static let valueKeys = [
    "policy.discount", "policy.lambda", "policy.valueClip", "policy.valueWeight",
  ]

  /// Reads the keys.
  public init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    epochs = try reader.integer(
      "policy.epochs", default: 4, in: 1...1000,
      help: "times that an iteration's answers are learned")
    clip = try reader.number(
      "policy.clip", default: 0.2, in: 1e-3...0.99,
      help: "how far a token's probability ratio may move from 1")
    entropy = try reader.number(
      "policy.entropy", default: 0, in: 0...10, help: "factor of the entropy bonus")
    discount = try reader.number(
      "policy.discount", default: 1, in: 0...1, help: "γ of ppo, the discount of a token")
    lambda = try reader.number(
      "policy.lambda", default: 0.95, in: 0...1,
      help: "λ of ppo's generalized advantage; 1 learns sooner where only ends are rewarded")
    valueClip = try reader.number(
      "policy.valueClip", default: 0.2, in: 1e-3...1e3, help: "how far ppo's value may move")
    valueWeight = try reader.number(
      "policy.valueWeight", default: 0.01, in: 0...100,
      help: "factor of ppo's value loss; more of it moves the trunk that policy and values share")
    isScaled = try reader.boolean(
      "policy.scaled", default: true,
      help: "whether grpo divides a group's rewards by their deviation (dr. grpo does not)")
    kl = try reader.number(
      "kl.coefficient", default: 0.05, in: 0...100,
      help: "factor of the KL to the model that the run begins with")
    klTarget = try reader.optionalNumber(
      "kl.target", in: 1e-6..., unit: "nats an answer", help: "what ppo's factor is steered to")
    klHorizon = try reader.number(
      "kl.horizon", default: 10_000, in: 1..., unit: "answers", help: "over which it is steered")
  }
}

/// How DPO learns, as typed.
public struct PreferenceOptions: Sendable {
  /// The form of the loss.
  public enum Form: String, Sendable, CaseIterable {
    /// The logistic loss.
    case sigmoid
    /// The squared loss of Azar and others 2023.
    case ipo
  }

  /// How close the policy stays to the reference.
  public let beta: Double
  /// The form of the loss.
  public let form: Form
  /// Share of the pairs believed to be the wrong way round.
  public let labelSmoothing: Double

  static let keys = ["dpo.beta", "dpo.loss", "dpo.labelSmoothing"]

  /// Reads the keys.
  public init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    beta = try reader.number(
      "dpo.beta", default: 0.1, in: 1e-4...100, help: "how close the policy stays to its start")
    form = try reader.choice("dpo.loss", default: .sigmoid, help: "sigmoid, or ipo")
    labelSmoothing = try reader.number(
      "dpo.labelSmoothing", default: 0, in: 0..<0.5,
      help: "share of the pairs believed to be the wrong way round (cDPO)")
    if form == .ipo && reader.isChanged("dpo.labelSmoothing") {
      throw reader.rejection(
        of: "dpo.labelSmoothing", because: "it has no effect with dpo.loss: ipo; leave it out")
    }
  }
}
