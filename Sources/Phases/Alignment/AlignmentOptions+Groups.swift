import Configuration
import Files
import Objectives

/// The keys of the reward.
package struct RewardSourceOptions: Sendable {
  /// The folder of a reward model.
  package let model: String?
  /// The weight of the reward model's score.
  package let weight: Double
  /// True to accept a reward model without the verdict *fit*.
  package let allowsUnfit: Bool
  /// A regular expression: 1 where it matches in the completion, else 0.
  package let rule: String?
  /// A command that reads completions as JSON lines and prints a number for each.
  package let command: String?
  /// The weight of the number of the rule or command.
  package let ruleWeight: Double
  /// The time limit of a command, in seconds.
  package let timeLimit: Double
  /// The penalty for a completion without an end-of-turn token.
  package let unendedPenalty: Double

  package init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    model = try reader.optionalString(
      "reward.model", decidesBits: false, help: "reward model: a run folder of apus reward")
    weight = try reader.number(
      "reward.weight", default: 1, help: "weight of the reward model's score")
    allowsUnfit = try reader.boolean(
      "reward.allowUnfit", default: false,
      decidesBits: false, help: "accepts a reward model whose verdict is unfit or missing")
    rule = try reader.optionalString(
      "reward.rule",
      help: "regular expression: the reward is 1 where it matches in a completion, else 0")
    command = try reader.optionalString(
      "reward.command",
      help: "shell command: reads lines with prompt, answer and, where the record has one, "
        + "reference; prints a reward for each")
    ruleWeight = try reader.number(
      "reward.ruleWeight", default: 1,
      help: "weight of the number of reward.rule or reward.command")
    timeLimit = try reader.number(
      "reward.timeLimit", default: 30, in: 0.1...86_400, unit: "seconds",
      decidesBits: false,
      help: "time limit of the command; when it is exceeded the rewards of its completions are 0")
    unendedPenalty = try reader.number(
      "reward.unendedPenalty", default: 0, in: 0...,
      help: "penalty for a completion without an end-of-turn token")
    if rule != nil && command != nil {
      throw reader.rejection(
        of: "reward.command", because: "reward.rule is set as well; keep one of them")
    }
    if let rule, RegularExpression(rule) == nil {
      throw reader.rejection(
        of: "reward.rule",
        because: "it is not a regular expression; check its brackets and escapes")
    }
  }
}

/// The keys of sampling.
package struct RolloutOptions: Sendable {
  /// Prompts per rollout iteration.
  package let prompts: Int
  /// Completions per prompt.
  package let samples: Int
  /// The maximum length of a completion, in tokens.
  package let tokens: Int
  /// The sampling temperature, which divides the logits.
  package let temperature: Double
  /// Completions that one worker samples together.
  package let batch: Int
  /// True to compute the same log-probabilities in sampling and training, to the last bit; see
  /// `Workspace.isBatchInvariant`.
  package let isBatchInvariant: Bool

  package init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    prompts = try reader.integer(
      "rollouts.prompts", default: 32, in: 1...1_000_000, help: "prompts per rollout iteration")
    samples = try reader.integer(
      "rollouts.samples", default: 1, in: 1...1024,
      help: "completions per prompt; methods that compare them need 2 or more: "
        + AlignmentMethod.comparing.joined(separator: ", "))
    tokens = try reader.integer(
      "rollouts.tokens", default: 128, in: 1...1_000_000, unit: "tokens",
      help: "maximum completion length")
    temperature = try reader.number(
      "rollouts.temperature", default: 1, in: 1e-3...100, help: "sampling temperature")
    batch = try reader.integer(
      "rollouts.batch", default: 16, in: 1...4096,
      help: "completions that one worker samples together; decides the bits when batchInvariant is "
        + "false")
    isBatchInvariant = try reader.boolean(
      "rollouts.batchInvariant", default: true,
      help: "computes the same log-probabilities in sampling and training, to the last bit; false "
        + "uses the library's matrix products, which are faster in bf16 on CPUs with AMX")
  }

  /// Completions per rollout iteration.
  var count: Int { prompts * samples }
}

/// The keys of the loss and advantages of methods that learn from rewards.
package struct PolicyOptions: Sendable {
  /// Passes over the completions of an iteration.
  package let epochs: Int
  /// The clip range ε of the probability ratio, which is clipped to 1 ± ε.
  package let clip: Double
  /// The coefficient of the entropy bonus.
  package let entropy: Double
  /// The coefficient of the KL divergence from the reference model: in the rewards or in
  /// the loss, by the method.
  package let kl: Double
  /// The rule that adapts the coefficient.
  package let klRule: KLController.Rule
  /// γ, the discount factor per token.
  package let discount: Double
  /// λ of generalized advantage estimation.
  package let lambda: Double
  /// The clip range of the value around its old value.
  package let valueClip: Double
  /// The coefficient of the value loss.
  package let valueWeight: Double
  /// True to divide a group's rewards by their standard deviation.
  package let isScaled: Bool

  /// The keys of value heads.
  static let valueKeys = [
    "policy.discount", "policy.lambda", "policy.valueClip", "policy.valueWeight",
  ]

  package init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    epochs = try reader.integer(
      "policy.epochs", default: 4, in: 1...1000,
      help: "passes over the completions of an iteration")
    clip = try reader.number(
      "policy.clip", default: 0.2, in: 1e-3...0.99,
      help: "clip range ε: the probability ratio of a token is clipped to 1 ± ε")
    entropy = try reader.number(
      "policy.entropy", default: 0, in: 0...10, help: "coefficient of the entropy bonus")
    discount = try reader.number(
      "policy.discount", default: 1, in: 0...1, help: "γ of ppo: discount factor per token")
    lambda = try reader.number(
      "policy.lambda", default: 0.95, in: 0...1,
      help: "λ of ppo's generalized advantage estimation; 1 suits rewards at the end alone")
    valueClip = try reader.number(
      "policy.valueClip", default: 0.2, in: 1e-3...1e3,
      help: "clip range of ppo's value around its old value")
    valueWeight = try reader.number(
      "policy.valueWeight", default: 0.01, in: 0...100,
      help: "coefficient of ppo's value loss, whose gradient also changes the shared backbone")
    isScaled = try reader.boolean(
      "policy.scaled", default: true,
      help: "divides grpo's rewards by the standard deviation of their group; false: Dr. GRPO")
    kl = try reader.number(
      "kl.coefficient", default: 0.05, in: 0...100,
      help: "coefficient of the KL from the reference model, the initial one")
    let target = try reader.optionalNumber(
      "kl.target", in: 1e-6..., unit: "nats per completion",
      help: "target of ppo's adaptive KL coefficient; fixed when absent")
    let horizon = try reader.number(
      "kl.horizon", default: 10_000, in: 1..., unit: "completions",
      help: "time scale of ppo's adaptive KL coefficient")
    klRule = target.map { .adaptive(target: $0, horizon: horizon) } ?? .fixed
  }
}

/// The keys of DPO.
package struct PreferenceOptions: Sendable {
  /// The form of the loss.
  package enum Form: String, Sendable, CaseIterable {
    /// The logistic loss of DPO.
    case sigmoid
    /// The squared loss of IPO (Azar and others 2023).
    case ipo
  }

  /// β, the strength of the KL constraint to the reference model.
  package let beta: Double
  /// The form of the loss.
  package let form: Form
  /// The assumed probability that the labels of a pair are swapped.
  package let labelSmoothing: Double

  package init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    beta = try reader.number(
      "dpo.beta", default: 0.1, in: 1e-4...100,
      help: "β, strength of the KL constraint to the reference model")
    form = try reader.choice("dpo.loss", default: .sigmoid, help: "loss: sigmoid (DPO) or ipo")
    labelSmoothing = try reader.number(
      "dpo.labelSmoothing", default: 0, in: 0..<0.5,
      help: "assumed probability that the labels of a pair are swapped (cDPO)")
    if form == .ipo {
      try reader.refuse(
        ["dpo.labelSmoothing"], because: "it has no effect with dpo.loss: ipo; leave it out")
    }
  }

  var loss: DirectPreference {
    DirectPreference(
      beta: beta, form: form == .ipo ? .ipo : .sigmoid(labelSmoothing: labelSmoothing))
  }
}

/// The keys of KTO's loss.
package struct UnpairedPreferenceOptions: Sendable {
  /// β, the strength of the KL constraint to the reference model.
  package let beta: Double
  /// The weight of good answers.
  package let desirableWeight: Double
  /// The weight of bad answers.
  package let undesirableWeight: Double

  package init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    beta = try reader.number(
      "kto.beta", default: 0.1, in: 1e-4...100,
      help: "β, strength of the KL constraint to the reference model")
    desirableWeight = try reader.number(
      "kto.desirableWeight", default: 1, in: 0...1000,
      help: "weight of the loss of good answers; where they are n times as many as the bad ones, "
        + "1 to 1.33 divided by n is usual")
    undesirableWeight = try reader.number(
      "kto.undesirableWeight", default: 1, in: 0...1000, help: "weight of the loss of bad answers")
  }

  var loss: KahnemanTversky {
    KahnemanTversky(
      beta: beta, desirableWeight: desirableWeight, undesirableWeight: undesirableWeight)
  }
}
