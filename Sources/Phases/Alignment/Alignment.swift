import Checkpoints
import Configuration
import Datasets
import Models
import Tokenizers
import Training

/// Reinforcement learning from rewards, or preference optimization on pairs or answers with a label.
struct Alignment: ConfiguredPhase {
  let plan: TrainingPlan
  private let options: AlignmentOptions
  private let task: Task
  private let start: ModelFolder
  private let rewardModel: ModelFolder?
  private let notes: [String]

  /// The training data of a method.
  private enum Task {
    case policy(any PolicyMethod, prompts: SplitExamples<PromptSet>)
    case answers(any SupervisedTask)
  }

  /// Makes the plan from the keys, the initial model, the examples, and the reward model's verdict.
  init(_ options: AlignmentOptions, _ reader: ConfigurationReader, bf16IsFaster: Bool) throws {
    self.options = options
    try options.requireRewards(reader)
    let model = try InitialModel(options.start, template: options.data.template, reader)
    try model.requireLanguageModel()
    start = model.folder
    let rewards = try options.reward.model.map {
      try Alignment.rewardModel($0, options.reward, beside: model.folder, reader)
    }
    rewardModel = rewards
    // A reward model also reads the end of the turn after a completion of maximum length, and what
    // the template writes after it.
    let readAfter = 1 + model.chat.afterLastTurn.count
    let exampleOptions = options.data.exampleOptions(
      context: min(
        model.context, rewards.map { $0.configuration.context - readAfter } ?? model.context))
    let records = try options.data.records()
    if let method = options.method.policy {
      let prompts = try SplitExamples(records, chat: model.chat) { records, _ in
        try PromptSet(
          records, chat: model.chat, completion: options.rollouts.tokens, options: exampleOptions)
      }
      task = .policy(
        method.init(options.policy, samples: options.rollouts.samples), prompts: prompts)
      notes = prompts.notes
    } else {
      let network = model.folder.configuration
      let answers: any SupervisedTask =
        options.method.answers == .kto
        ? PreferenceTask<UnpairedPreferenceSet, _>(
          network: network, examples: try SplitExamples(model, records, exampleOptions),
          answerLoss: options.unpairedPreference.loss, endsOnCollapse: options.endsOnCollapse)
        : PreferenceTask<PairSet, _>(
          network: network,
          examples: try SplitExamples(model, records, exampleOptions, usesMargins: false),
          answerLoss: options.preference.loss, endsOnCollapse: options.endsOnCollapse)
      task = .answers(answers)
      notes = answers.notes
    }
    var settings = model.settings(records)
    if let rewards { settings["reward.model"] = try rewards.weightsDigest() }
    plan = try TrainingPlan(
      options.training, reader, network: options.network(model.folder.configuration),
      lora: options.adapters.lora, start: model, rows: options.rows, settings: settings,
      isBatchInvariant: options.method.samples && options.rollouts.isBatchInvariant,
      bf16IsFaster: bf16IsFaster)
    try plan.requireValidation(!records.validation.isEmpty)
  }

  static func sketch(
    _ options: AlignmentOptions, _ reader: ConfigurationReader, _ artifacts: PlannedArtifacts,
    bf16IsFaster: Bool
  ) throws -> PhaseSketch {
    let model = try artifacts.model(in: options.start.from)
    var frozen = options.adapters.keepsInitialWeights ? 0 : model.layout.count
    if let rewards = options.reward.model {
      frozen += try artifacts.model(in: rewards).layout.count
    }
    return PhaseSketch(
      plan: try TrainingPlan(
        options.training, reader, network: options.network(model), lora: options.adapters.lora,
        rows: options.rows,
        context: options.start.context, bf16IsFaster: bf16IsFaster),
      rollouts: options.method.samples
        ? .init(
          options: options.rollouts, stepsPerIteration: options.stepsPerIteration,
          hasRewardModel: options.reward.model != nil) : nil,
      frozenModelParameters: frozen)
  }

  func rowSizes() throws -> RowSizes? {
    switch task {
    case .answers(let answers): return try answers.rowSizes(plan)
    case .policy(_, let prompts):
      // Rows are as long as the longest of a micro-batch: on average the quantile rows ÷ (rows + 1) of
      // the prompts, with a completion of the longest.
      let lengths = prompts.train.prompts.map(\.ids.count).sorted()
      let longest = lengths[(lengths.count - 1) * plan.rows / (plan.rows + 1)]
      return RowSizes(
        context: min(plan.context, longest + options.rollouts.tokens), sourceContext: 0)
    }
  }

  func preparedForTiming(_ run: RunContext) throws -> PreparedPhase? {
    // The steps of the others ask for rewards, perhaps from a command.
    if case .answers = task { try prepare(run) } else { nil }
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
  func prepare(_ run: RunContext) throws -> PreparedPhase {
    let frozenModels = try frozenModels()
    try notes.forEach(run.note)
    switch task {
    case .answers(let answers):
      return PreparedPhase(
        objective: try answers.objective(plan), evaluator: try answers.evaluator(plan),
        frozenModels: frozenModels)
    case .policy(let method, let prompts):
      let reward = RewardSource(
        options.reward, tokenizer: plan.tokenizer, prompts: prompts.train)
      let collector = { [options] in RolloutCollector(options, prompts: $0, reward: reward) }
      let objective = PolicyObjective(method, options, collector: collector(prompts.train))
      return PreparedPhase(
        objective: objective,
        evaluator: prompts.validation.map { PolicyEvaluator(collector($0)) },
        frozenModels: frozenModels, stepsPerIteration: options.stepsPerIteration,
        conclude: { context, _ in objective.conclusions(context) })
    }
  }

  /// Loads the reward model, and the reference model unless the trained model without its adapters
  /// is the same.
  private func frozenModels() throws -> FrozenModels {
    var frozenModels = FrozenModels()
    if !options.adapters.keepsInitialWeights {
      frozenModels.reference = (
        try start.languageModel(), try start.frozen(precision: plan.precision)
      )
    }
    if let rewardModel, let classifier = rewardModel.classifier {
      frozenModels.rewardModel = (classifier, try rewardModel.frozen(precision: plan.precision))
    }
    return frozenModels
  }
}

extension AlignmentOptions {
  /// The trained network, with a value head where the method has one.
  fileprivate func network(_ model: any ModelConfiguration) -> any NetworkConfiguration {
    method.hasValueHead ? ValueHeadModelConfiguration(model) : model
  }

  /// Rows of a micro-batch: a pair has two, and so has an answer with a label with its mismatched one.
  fileprivate var rows: Int { method.samples ? training.sequences : 2 * training.sequences }
}
