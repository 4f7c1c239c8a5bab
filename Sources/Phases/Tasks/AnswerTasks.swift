import Configuration
import Datasets
import Training

/// Causal language modelling of the assistant's answers in conversations.
struct ConversationTask: SupervisedTask {
  let network: TrainedNetwork
  private let examples: SplitExamples<ExampleSet>

  init(_ model: InitialModel, _ records: RecordSet, _ options: Datasets.ExampleOptions) throws {
    try model.requireLanguageModel()
    examples = try SplitExamples(records) { records, _ in
      try ExampleSet(records, chat: model.chat, options: options)
    }
    try examples.train.checkLossMask()
    network = .language(model.folder.configuration)
  }

  var statistics: (train: ExampleStatistics, heldOut: ExampleStatistics?) {
    (examples.train.statistics, examples.validation?.statistics)
  }

  func objective(_ plan: TrainingPlan) throws -> any Objective {
    TokenObjective(
      try ExampleLoader(
        examples.train, context: plan.context, sequences: plan.rows,
        microBatches: plan.microBatches, seed: plan.seed))
  }

  func evaluator(_ plan: TrainingPlan) throws -> (any HeldOutEvaluator)? {
    try examples.validation.map {
      AnswerEvaluator(
        try ExampleEvaluationLoader($0, context: plan.context, sequences: plan.rows))
    }
  }
}

/// Sequence-to-sequence modelling: prompts are encoder inputs, answers decoder inputs.
struct SequenceToSequenceTask: SupervisedTask {
  let network: TrainedNetwork
  private let examples: SplitExamples<SourceTargetSet>

  init(
    _ model: InitialModel, _ records: RecordSet, _ options: Datasets.ExampleOptions,
    _ reader: ConfigurationReader
  ) throws {
    try model.requireLanguageModel(allowingSequenceToSequence: true)
    try reader.refuse(
      ["data.template"],
      because: "\(model.folder.path) reads prompts without a chat template; leave it out")
    examples = try SplitExamples(records) { records, _ in try model.targets(of: records, options) }
    network = .language(model.folder.configuration)
  }

  var statistics: (train: ExampleStatistics, heldOut: ExampleStatistics?) {
    (examples.train.statistics, examples.validation?.statistics)
  }

  func objective(_ plan: TrainingPlan) -> any Objective {
    TokenObjective(
      SourceTargetLoader(
        examples.train, context: plan.context, sequences: plan.rows,
        microBatches: plan.microBatches, seed: plan.seed))
  }

  func evaluator(_ plan: TrainingPlan) -> (any HeldOutEvaluator)? {
    examples.validation.map {
      AnswerEvaluator(
        SourceTargetEvaluationLoader($0, context: plan.context, sequences: plan.rows))
    }
  }
}
