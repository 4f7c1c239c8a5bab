import Configuration
import Datasets
import Models
import Training

/// Causal language modelling of the assistant's answers in conversations.
struct ConversationTask: SupervisedTask {
  let network: any NetworkConfiguration
  let examples: SplitExamples<ExampleSet>

  init(_ model: InitialModel, _ records: RecordSet, _ options: Datasets.ExampleOptions) throws {
    try model.requireLanguageModel()
    examples = try SplitExamples(records, chat: model.chat) { records, _ in
      try ExampleSet(records, chat: model.chat, options: options)
    }
    try examples.train.checkLossMask()
    network = model.folder.configuration
  }

  func objective(_ plan: TrainingPlan) throws -> any Objective {
    TokenObjective(
      try ExampleLoader(
        examples.train, context: plan.context, sequences: plan.rows,
        microBatches: plan.microBatches, seed: plan.seed))
  }

  func evaluator(of examples: ExampleSet, _ plan: TrainingPlan) throws -> AnswerEvaluator {
    AnswerEvaluator(
      try ExampleEvaluationLoader(examples, tokens: plan.rows * plan.context))
  }
}

/// Sequence-to-sequence modelling: prompts are encoder inputs, answers decoder inputs.
struct SequenceToSequenceTask: SupervisedTask {
  let network: any NetworkConfiguration
  let examples: SplitExamples<SourceTargetSet>

  init(
    _ model: InitialModel, _ records: RecordSet, _ options: Datasets.ExampleOptions,
    _ reader: ConfigurationReader
  ) throws {
    try model.requireLanguageModel(allowingSequenceToSequence: true)
    try reader.refuse(
      ["data.template"],
      because: "\(model.folder.path) reads prompts without a chat template; leave it out")
    examples = try SplitExamples(records) { records, _ in
      try model.folder.targets(of: records, options)
    }
    network = model.folder.configuration
  }

  func objective(_ plan: TrainingPlan) -> any Objective {
    TokenObjective(examples.loader(plan))
  }

  func evaluator(of examples: SourceTargetSet, _ plan: TrainingPlan) -> AnswerEvaluator {
    AnswerEvaluator(SetEvaluationLoader(examples, sequences: plan.rows))
  }
}
