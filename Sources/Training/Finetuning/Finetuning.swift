import Configuration
import Datasets
import Models
import Tensors
import Tokenizers

/// Supervised fine-tuning: the assistant's answers, or the labels of texts.
public struct Finetuning: Phase {
  /// What is settled of the run.
  public let plan: TrainingPlan
  /// What was typed, with every default.
  public let options: FinetuningOptions
  private let examples: Examples
  private let report: ExampleReport

  /// The examples of a task, to train on and to measure by.
  private enum Examples {
    case chat(train: ExampleSet, validation: ExampleSet?)
    case targets(train: SourceTargetSet, validation: SourceTargetSet?)
    case labels(train: LabelSet, validation: LabelSet?)
    case tags(train: TagSet, validation: TagSet?)
  }

  /// Settles what the keys of `reader` say; reads model and examples.
  ///
  /// - Parameter halvesAreQuick: Whether the CPUs of all ranks are quicker in bf16 than in fp32.
  public init(
    _ reader: inout ConfigurationReader, halvesAreQuick: Bool = MatrixLibrary.hasHalfProducts
  ) throws {
    options = try FinetuningOptions(&reader)
    try reader.finish()
    let model = try PhaseModel(options.start, template: options.data.template, reader)
    let records = try options.data.records()
    let making = options.data.making(context: model.context)
    let network: TrainedNetwork
    switch options.task {
    case .chat where model.folder.configuration.prediction == .target:
      try model.requireLanguageModel(allowingTargets: true)
      if reader.isChanged("data.template") {
        throw reader.rejection(
          of: "data.template",
          because: "\(model.folder.path) reads prompts as they are; leave it out")
      }
      let train = try model.targets(of: records.train, making)
      let validation =
        records.validation.isEmpty ? nil : try model.targets(of: records.validation, making)
      examples = .targets(train: train, validation: validation)
      report = ExampleReport(
        records, train: train.statistics, heldOut: validation?.statistics)
      network = .language(model.folder.configuration)
    case .chat:
      try model.requireLanguageModel()
      let train = try ExampleSet(records.train, chat: model.chat, options: making)
      try train.checkMask()
      let validation =
        records.validation.isEmpty
        ? nil : try ExampleSet(records.validation, chat: model.chat, options: making)
      examples = .chat(train: train, validation: validation)
      report = ExampleReport(
        records, train: train.statistics, heldOut: validation?.statistics)
      network = .language(model.folder.configuration)
    case .classification, .regression:
      let isClasses = options.task == .classification
      let known = try isClasses ? options.classes(of: model, reader) : nil
      let train = try LabelSet(
        records.train, tokenizer: model.folder.tokenizer,
        task: isClasses ? .classes(known) : .values, options: making,
        padding: model.folder.configuration.padding.map { TokenID($0) })
      // Held-out texts have the classes that were trained.
      let validation =
        records.validation.isEmpty
        ? nil
        : try LabelSet(
          records.validation, tokenizer: model.folder.tokenizer,
          task: isClasses ? .classes(train.classes) : .values, options: making,
          padding: train.padding)
      examples = .labels(train: train, validation: validation)
      report = ExampleReport(
        records, train: train.statistics, heldOut: validation?.statistics)
      let scorer = try SequenceScorerConfiguration(
        model.folder.configuration, labels: isClasses ? train.classes : ["value"],
        problem: isClasses ? .classification : .regression, padding: Int(train.padding))
      try model.requireHead(of: scorer)
      network = .scorer(scorer)
    case .tokens:
      let train = try TagSet(
        records.train, tokenizer: model.folder.tokenizer,
        classes: try options.classes(of: model, reader), options: making,
        padding: model.folder.configuration.padding.map { TokenID($0) })
      let validation =
        records.validation.isEmpty
        ? nil
        : try TagSet(
          records.validation, tokenizer: model.folder.tokenizer, classes: train.classes,
          options: making, padding: train.padding)
      examples = .tags(train: train, validation: validation)
      report = ExampleReport(
        records, train: train.statistics, heldOut: validation?.statistics)
      let tagger = try TokenTaggerConfiguration(
        model.folder.configuration, labels: train.classes)
      try model.requireHead(of: tagger)
      network = .tagger(tagger)
    }
    plan = try TrainingPlan(
      options.training, reader, tokenizer: model.folder.tokenizer, network: network,
      lora: options.adapters.lora(savingWhole: network.heads),
      start: model, terms: model.terms(records),
      halvesAreQuick: halvesAreQuick)
  }

  /// The loaders of the examples.
  public func prepare(_ site: PhaseSite) throws -> PhaseWork {
    let (context, rows, seed) = (plan.context, plan.rows, UInt64(plan.options.seed))
    let microBatches = plan.options.microBatches
    try report.tell(site)
    switch examples {
    case .chat(let train, let validation):
      return PhaseWork(
        objective: TokenObjective(
          try ExampleLoader(
            train, context: context, sequences: rows, microBatches: microBatches, seed: seed)),
        evaluator: try validation.map {
          AnswerEvaluator(try ExampleEvaluationLoader($0, context: context, sequences: rows))
        }, terms: [:])
    case .targets(let train, let validation):
      return PhaseWork(
        objective: TokenObjective(
          SourceTargetLoader(
            train, context: context, sequences: rows, microBatches: microBatches, seed: seed)),
        evaluator: validation.map {
          AnswerEvaluator(
            SourceTargetEvaluationLoader($0, context: context, sequences: rows))
        }, terms: [:])
    case .labels(let train, let validation):
      return PhaseWork(
        objective: LabelObjective(
          LabelLoader(
            train, context: context, sequences: rows, microBatches: microBatches, seed: seed),
          task: options.task),
        evaluator: validation.map {
          LabelEvaluator(
            LabelEvaluationLoader($0, context: context, sequences: rows), classes: $0.classes.count)
        }, terms: [:])
    case .tags(let train, let validation):
      return PhaseWork(
        objective: TokenObjective(
          TagLoader(
            train, context: context, sequences: rows, microBatches: microBatches, seed: seed)),
        evaluator: validation.map {
          TagEvaluator(TagEvaluationLoader($0, context: context, sequences: rows))
        }, terms: [:])
    }
  }
}
