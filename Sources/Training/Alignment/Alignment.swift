import Checkpoints
import Configuration
import Datasets
import Models
import Tensors
import Tokenizers

/// Reinforcement learning from rewards (PPO, GRPO), or preference optimization on pairs (DPO).
package struct Alignment: Phase {
  package let plan: TrainingPlan
  /// The values of the configuration's keys.
  package let options: AlignmentOptions
  private let examples: Examples
  private let rewardModel: ModelFolder?
  private let report: ExampleReport

  private enum Examples {
    case prompts(train: PromptSet, validation: PromptSet?)
    case pairs(train: PairSet, validation: PairSet?)
  }

  /// Makes the plan from the keys of `reader`, the initial model, the examples, and the reward
  /// model's verdict.
  ///
  /// - Parameter bf16IsFaster: True when the CPUs of all ranks compute faster in bf16 than in fp32.
  package init(
    _ reader: inout ConfigurationReader, bf16IsFaster: Bool = MatrixLibrary.bf16IsFaster
  ) throws {
    let options = try AlignmentOptions(&reader)
    self.options = options
    try reader.finish()
    try options.requireRewards(reader)
    let model = try PhaseModel(options.start, template: options.data.template, reader)
    try model.requireLanguageModel()
    let rewards = try options.reward.model.map {
      try Alignment.rewardModel($0, options.reward, beside: model.folder, reader)
    }
    rewardModel = rewards
    // A reward model reads the end of the turn after a completion of maximum length, too.
    let exampleOptions = options.data.exampleOptions(
      context: min(model.context, rewards.map { $0.configuration.context - 1 } ?? model.context))
    let records = try options.data.records()
    let completion = options.rollouts.tokens
    let validates = !records.validation.isEmpty
    var settings = model.settings(records)
    let network: TrainedNetwork
    switch options.method {
    case .dpo:
      let train = try PairSet(records.train, chat: model.chat, options: exampleOptions)
      let validation =
        validates
        ? try PairSet(records.validation, chat: model.chat, options: exampleOptions) : nil
      examples = .pairs(train: train, validation: validation)
      report = ExampleReport(records, train: train.statistics, heldOut: validation?.statistics)
      network = .language(model.folder.configuration)
    case .ppo, .grpo:
      let train = try PromptSet(
        records.train, chat: model.chat, completion: completion, options: exampleOptions)
      let validation =
        validates
        ? try PromptSet(
          records.validation, chat: model.chat, completion: completion, options: exampleOptions)
        : nil
      examples = .prompts(train: train, validation: validation)
      report = ExampleReport(records, train: train.statistics, heldOut: validation?.statistics)
      network =
        options.method == .ppo
        ? .withValueHead(ValueHeadModelConfiguration(model.folder.configuration))
        : .language(model.folder.configuration)
    }
    if let rewards { settings["reward.model"] = try rewards.weightsDigest() }
    for (key, value) in options.settings { settings[key] = value }
    plan = try TrainingPlan(
      options.training, reader, tokenizer: model.folder.tokenizer, network: network,
      lora: options.adapters.lora(savingWhole: network.heads),
      start: model,
      rows: options.method == .dpo ? 2 * options.training.sequences : options.training.sequences,
      settings: settings,
      isBatchInvariant: options.method != .dpo && options.rollouts.isBatchInvariant,
      bf16IsFaster: bf16IsFaster)
  }

  /// Opens a reward model that has the tokenizer of `folder` and passed its quality gate.
  private static func rewardModel(
    _ path: String, _ options: RewardSourceOptions, beside folder: ModelFolder,
    _ reader: ConfigurationReader
  ) throws -> ModelFolder {
    let rewards = try ModelFolder(path: path)
    guard let classifier = rewards.classifier, classifier.labels.count == 1 else {
      throw reader.rejection(
        of: "reward.model",
        because: "\(rewards.path) holds "
          + (rewards.classifier.map { "a classifier of \($0.labels.count) classes" }
            ?? "a language model")
          + ", not a reward model; name the run folder of apus reward")
    }
    guard
      TokenizerFile.fingerprint(of: rewards.tokenizer)
        == TokenizerFile.fingerprint(of: folder.tokenizer)
    else {
      throw reader.rejection(
        of: "reward.model",
        because: "its tokenizer differs from that of \(folder.path), so it would score other "
          + "texts; train it from a model with the same tokenizer")
    }
    if options.allowsUnfit { return rewards }
    guard let verdict = try RewardVerdict.read(of: rewards) else {
      throw reader.rejection(
        of: "reward.model",
        because: "the weights in \(rewards.path) have no verdict: train the model with apus "
          + "reward, which writes one, or set reward.allowUnfit: true")
    }
    guard verdict.isFit else {
      throw reader.rejection(
        of: "reward.model",
        because: "its verdict is unfit: \(verdict.objections.joined(separator: "; ")); or set "
          + "reward.allowUnfit: true")
    }
    return rewards
  }

  /// Loads the frozen models, and makes the objective and the evaluator.
  package func prepare(_ run: RunContext) throws -> PreparedPhase {
    let frozenModels = try frozenModels()
    try report.log(to: run)
    switch examples {
    case .pairs(let train, let validation):
      let pairs = options.training.sequences
      let objective = PreferenceObjective(
        PairLoader(
          train, context: plan.context, pairs: pairs, microBatches: plan.options.microBatches,
          seed: UInt64(plan.options.seed)), options.preference)
      return PreparedPhase(
        objective: objective,
        evaluator: validation.map {
          PreferenceEvaluator(
            PairEvaluationLoader($0, context: plan.context, pairs: pairs), objective: objective)
        }, settings: [:], frozenModels: frozenModels)
    case .prompts(let train, let validation):
      let reward = RewardSource(
        options.reward, tokenizer: plan.tokenizer, endOfTurn: train.endOfTurn)
      let objective = PolicyObjective(
        options, collector: RolloutCollector(options, prompts: train, reward: reward))
      return PreparedPhase(
        objective: objective,
        evaluator: validation.map { PolicyEvaluator(options, prompts: $0, reward: reward) },
        settings: [:], frozenModels: frozenModels,
        stepsPerIteration: options.stepsPerIteration,
        conclude: { trainer, _ in objective.conclusions(trainer) })
    }
  }

  /// Loads the reward model, and the reference model unless the trained model without its adapters
  /// is the same.
  private func frozenModels() throws -> FrozenModels {
    var frozenModels = FrozenModels()
    if !options.adapters.keepsInitialWeights, case .folder(let path) = plan.weights {
      let start = try LoadedModel(path: path)
      frozenModels.reference = .init(
        model: start.configuration,
        parameters: FrozenParameters(
          layout: start.layout, values: start.parameters, precision: plan.precision))
    }
    if let rewardModel {
      let rewards = try LoadedClassifier(rewardModel)
      frozenModels.rewardModel = .init(
        model: rewards.configuration,
        parameters: FrozenParameters(
          layout: rewards.layout, values: rewards.parameters, precision: plan.precision))
    }
    return frozenModels
  }
}

extension AlignmentOptions {
  /// The settings that decide the bits, beside the keys of every run.
  var settings: [String: String] {
    var settings = ["method": method.rawValue]
    switch method {
    case .dpo: settings["dpo"] = "\(preference)"
    case .ppo, .grpo:
      settings["rollouts"] = "\(rollouts)"
      settings["policy"] = "\(policy)"
      settings["reward"] = "\(reward)"
    }
    return settings
  }
}
