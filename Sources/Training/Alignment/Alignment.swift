import Checkpoints
import Configuration
import Datasets
import Models
import Tensors
import Tokenizers

/// Reinforcement learning from rewards (PPO, GRPO), or from pairs (DPO).
public struct Alignment: Phase {
  /// What is settled of the run.
  public let plan: TrainingPlan
  /// What was typed, with every default.
  public let options: AlignmentOptions
  private let examples: Examples
  private let rewardModel: ModelFolder?
  private let report: ExampleReport

  private enum Examples {
    case prompts(train: PromptSet, validation: PromptSet?)
    case pairs(train: PairSet, validation: PairSet?)
  }

  /// Settles what the keys of `reader` say; reads model and examples, and the reward model's verdict.
  ///
  /// - Parameter halvesAreQuick: Whether the CPUs of all ranks are quicker in bf16 than in fp32.
  public init(
    _ reader: inout ConfigurationReader, halvesAreQuick: Bool = MatrixLibrary.hasHalfProducts
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
    // A reward model reads the end of the turn behind an answer of full length too.
    let making = options.data.making(
      context: min(model.context, rewards.map { $0.configuration.context - 1 } ?? model.context))
    let records = try options.data.records()
    let answer = options.rollouts.tokens
    let validates = !records.validation.isEmpty
    var terms = model.terms(records)
    let network: TrainedNetwork
    switch options.method {
    case .dpo:
      let train = try PairSet(records.train, chat: model.chat, options: making)
      let validation =
        validates ? try PairSet(records.validation, chat: model.chat, options: making) : nil
      examples = .pairs(train: train, validation: validation)
      report = ExampleReport(records, train: train.statistics, heldOut: validation?.statistics)
      network = .language(model.folder.configuration)
    case .ppo, .grpo:
      let train = try PromptSet(
        records.train, chat: model.chat, answer: answer, options: making)
      let validation =
        validates
        ? try PromptSet(records.validation, chat: model.chat, answer: answer, options: making)
        : nil
      examples = .prompts(train: train, validation: validation)
      report = ExampleReport(records, train: train.statistics, heldOut: validation?.statistics)
      network =
        options.method == .ppo
        ? .valued(ValuedModelConfiguration(model.folder.configuration))
        : .language(model.folder.configuration)
    }
    if let rewards { terms["reward.model"] = try rewards.weightsDigest() }
    for (key, value) in options.terms { terms[key] = value }
    plan = try TrainingPlan(
      options.training, reader, tokenizer: model.folder.tokenizer, network: network,
      lora: options.adapters.lora(savingWhole: network.heads),
      start: model,
      rows: options.method == .dpo ? 2 * options.training.sequences : options.training.sequences,
      terms: terms,
      isBatchInvariant: options.method != .dpo && options.rollouts.isBatchInvariant,
      halvesAreQuick: halvesAreQuick)
  }

  /// A reward model that may teach the model in `folder`.
  private static func rewardModel(
    _ path: String, _ options: RewardSourceOptions, beside folder: ModelFolder,
    _ reader: ConfigurationReader
  ) throws -> ModelFolder {
    let rewards = try ModelFolder(path: path)
    guard let scorer = rewards.scorer, scorer.labels.count == 1 else {
      throw reader.rejection(
        of: "reward.model",
        because: "\(rewards.path) holds "
          + (rewards.scorer.map { "a classifier of \($0.labels.count) classes" }
            ?? "a language model")
          + ", which gives no answer a score; name the run folder of apus reward")
    }
    guard
      TokenizerFile.fingerprint(of: rewards.tokenizer)
        == TokenizerFile.fingerprint(of: folder.tokenizer)
    else {
      throw reader.rejection(
        of: "reward.model",
        because: "its tokenizer is another than that of \(folder.path), so its scores would be of "
          + "other texts; train it from a model with the same tokenizer")
    }
    if options.allowsUnfit { return rewards }
    guard let verdict = try RewardVerdict.read(of: rewards) else {
      throw reader.rejection(
        of: "reward.model",
        because: "nobody judged the weights in \(rewards.path): train it with apus reward, which "
          + "writes a verdict, or set reward.allowUnfit: true")
    }
    guard verdict.isFit else {
      throw reader.rejection(
        of: "reward.model",
        because: "its verdict is unfit: \(verdict.objections.joined(separator: "; ")); or set "
          + "reward.allowUnfit: true")
    }
    return rewards
  }

  /// The loaders, the networks that are only read, and the objective.
  public func prepare(_ site: PhaseSite) throws -> PhaseWork {
    let companions = try companions()
    try report.tell(site)
    switch examples {
    case .pairs(let train, let validation):
      let pairs = options.training.sequences
      let objective = PreferenceObjective(
        PairLoader(
          train, context: plan.context, pairs: pairs, microBatches: plan.options.microBatches,
          seed: UInt64(plan.options.seed)), options.preference)
      return PhaseWork(
        objective: objective,
        evaluator: validation.map {
          PreferenceEvaluator(
            PairEvaluationLoader($0, context: plan.context, pairs: pairs), objective: objective)
        }, terms: [:], companions: companions)
    case .prompts(let train, let validation):
      let reward = RewardSource(
        options.reward, tokenizer: plan.tokenizer, endOfTurn: train.endOfTurn)
      let objective = PolicyObjective(
        options, collector: RolloutCollector(options, prompts: train, reward: reward))
      return PhaseWork(
        objective: objective,
        evaluator: validation.map { PolicyEvaluator(options, prompts: $0, reward: reward) },
        terms: [:], companions: companions, period: options.period,
        conclude: { trainer, _ in objective.conclusions(trainer) })
    }
  }

  /// The model that the run begins with, unless the trained one without its low-rank maps is the same
  /// (as long as nothing of it is trained whole), and the
  /// reward model.
  private func companions() throws -> Companions {
    var companions = Companions()
    if !options.adapters.keepsStart, case .folder(let path) = plan.weights {
      let start = try LoadedModel(path: path)
      companions.reference = .init(
        model: start.configuration,
        parameters: FrozenParameters(
          layout: start.layout, values: start.parameters, precision: plan.precision))
    }
    if let rewardModel {
      let rewards = try LoadedScorer(rewardModel)
      companions.rewards = .init(
        model: rewards.configuration,
        parameters: FrozenParameters(
          layout: rewards.layout, values: rewards.parameters, precision: plan.precision))
    }
    return companions
  }
}

extension AlignmentOptions {
  /// What decides the bits beside the keys of every run.
  var terms: [String: String] {
    var terms = ["method": method.rawValue]
    switch method {
    case .dpo: terms["dpo"] = "\(preference)"
    case .ppo, .grpo:
      terms["rollouts"] = "\(rollouts)"
      terms["policy"] = "\(policy)"
      terms["reward"] = "\(reward)"
    }
    return terms
  }
}
