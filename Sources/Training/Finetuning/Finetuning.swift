import Configuration
import Datasets
import Models
import Tensors
import Tokenizers

/// Supervised fine-tuning on the assistant's answers, or on the labels of texts or words.
package struct Finetuning: Phase {
  package let plan: TrainingPlan
  /// The values of the configuration's keys.
  package let options: FinetuningOptions
  private let examples: Examples
  private let report: ExampleReport

  /// The training and validation examples of a task.
  private enum Examples {
    case chat(train: ExampleSet, validation: ExampleSet?)
    case targets(train: SourceTargetSet, validation: SourceTargetSet?)
    case labels(train: LabelSet, validation: LabelSet?)
    case tags(train: TagSet, validation: TagSet?)
  }

  /// Makes the plan from the keys of `reader`, the initial model and the examples.
  ///
  /// - Parameter bf16IsFaster: True when the CPUs of all ranks compute faster in bf16 than in fp32.
  package init(
    _ reader: inout ConfigurationReader, bf16IsFaster: Bool = MatrixLibrary.bf16IsFaster
  ) throws {
    options = try FinetuningOptions(&reader)
    try reader.finish()
    let model = try PhaseModel(options.start, template: options.data.template, reader)
    let records = try options.data.records()
    let exampleOptions = options.data.exampleOptions(context: model.context)
    let network: TrainedNetwork
    switch options.task {
    case .chat where model.folder.configuration.prediction == .sequenceToSequence:
      try model.requireLanguageModel(allowingSequenceToSequence: true)
      if reader.isChanged("data.template") {
        throw reader.rejection(
          of: "data.template",
          because: "\(model.folder.path) reads prompts without a chat template; leave it out")
      }
      let train = try model.targets(of: records.train, exampleOptions)
      let validation =
        records.validation.isEmpty
        ? nil : try model.targets(of: records.validation, exampleOptions)
      examples = .targets(train: train, validation: validation)
      report = ExampleReport(
        records, train: train.statistics, heldOut: validation?.statistics)
      network = .language(model.folder.configuration)
    case .chat:
      try model.requireLanguageModel()
      let train = try ExampleSet(records.train, chat: model.chat, options: exampleOptions)
      try train.checkLossMask()
      let validation =
        records.validation.isEmpty
        ? nil : try ExampleSet(records.validation, chat: model.chat, options: exampleOptions)
      examples = .chat(train: train, validation: validation)
      report = ExampleReport(
        records, train: train.statistics, heldOut: validation?.statistics)
      network = .language(model.folder.configuration)
    case .classification, .regression:
      let isClasses = options.task == .classification
      let known = try isClasses ? options.classes(of: model, reader) : nil
      let train = try LabelSet(
        records.train, tokenizer: model.folder.tokenizer,
        task: isClasses ? .classes(known) : .values, options: exampleOptions,
        padding: model.folder.configuration.padding.map { TokenID($0) })
      // Held-out texts have the classes of the training texts.
      let validation =
        records.validation.isEmpty
        ? nil
        : try LabelSet(
          records.validation, tokenizer: model.folder.tokenizer,
          task: isClasses ? .classes(train.classes) : .values, options: exampleOptions,
          padding: train.padding)
      examples = .labels(train: train, validation: validation)
      report = ExampleReport(
        records, train: train.statistics, heldOut: validation?.statistics)
      let classifier = try SequenceClassifierConfiguration(
        model.folder.configuration, labels: isClasses ? train.classes : ["value"],
        problem: isClasses ? .classification : .regression, padding: Int(train.padding))
      try model.requireHead(of: classifier)
      network = .classifier(classifier)
    case .tokens:
      let train = try TagSet(
        records.train, tokenizer: model.folder.tokenizer,
        classes: try options.classes(of: model, reader), options: exampleOptions,
        padding: model.folder.configuration.padding.map { TokenID($0) })
      let validation =
        records.validation.isEmpty
        ? nil
        : try TagSet(
          records.validation, tokenizer: model.folder.tokenizer, classes: train.classes,
          options: exampleOptions, padding: train.padding)
      examples = .tags(train: train, validation: validation)
      report = ExampleReport(
        records, train: train.statistics, heldOut: validation?.statistics)
      let tokenClassifier = try TokenClassifierConfiguration(
        model.folder.configuration, labels: train.classes)
      try model.requireHead(of: tokenClassifier)
      network = .tokenClassifier(tokenClassifier)
    }
    plan = try TrainingPlan(
      options.training, reader, tokenizer: model.folder.tokenizer, network: network,
      lora: options.adapters.lora(savingWhole: network.heads),
      start: model, settings: model.settings(records),
      bf16IsFaster: bf16IsFaster)
  }

  /// Makes the objective and the evaluator.
  package func prepare(_ run: RunContext) throws -> PreparedPhase {
    let (context, rows, seed) = (plan.context, plan.rows, UInt64(plan.options.seed))
    let microBatches = plan.options.microBatches
    try report.log(to: run)
    switch examples {
    case .chat(let train, let validation):
      return PreparedPhase(
        objective: TokenObjective(
          try ExampleLoader(
            train, context: context, sequences: rows, microBatches: microBatches, seed: seed)),
        evaluator: try validation.map {
          AnswerEvaluator(try ExampleEvaluationLoader($0, context: context, sequences: rows))
        }, settings: [:])
    case .targets(let train, let validation):
      return PreparedPhase(
        objective: TokenObjective(
          SourceTargetLoader(
            train, context: context, sequences: rows, microBatches: microBatches, seed: seed)),
        evaluator: validation.map {
          AnswerEvaluator(
            SourceTargetEvaluationLoader($0, context: context, sequences: rows))
        }, settings: [:])
    case .labels(let train, let validation):
      return PreparedPhase(
        objective: LabelObjective(
          LabelLoader(
            train, context: context, sequences: rows, microBatches: microBatches, seed: seed),
          task: options.task),
        evaluator: validation.map {
          LabelEvaluator(
            LabelEvaluationLoader($0, context: context, sequences: rows), classes: $0.classes.count)
        }, settings: [:])
    case .tags(let train, let validation):
      return PreparedPhase(
        objective: TokenObjective(
          TagLoader(
            train, context: context, sequences: rows, microBatches: microBatches, seed: seed)),
        evaluator: validation.map {
          TagEvaluator(TagEvaluationLoader($0, context: context, sequences: rows))
        }, settings: [:])
    }
  }
}
