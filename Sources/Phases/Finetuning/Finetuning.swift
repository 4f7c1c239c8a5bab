import Configuration
import Datasets
import Models
import Training

/// Supervised fine-tuning on the assistant's answers, or on the labels of texts or words.
struct Finetuning: ConfiguredPhase {
  let plan: TrainingPlan
  private let task: any SupervisedTask

  /// Makes the plan from the keys, the initial model and the examples.
  init(_ options: FinetuningOptions, _ reader: ConfigurationReader, bf16IsFaster: Bool) throws {
    let model = try InitialModel(options.start, template: options.data.template, reader)
    let records = try options.data.records()
    task = try options.task(model, records, reader)
    plan = try TrainingPlan(
      options.training, reader, network: task.network, lora: options.adapters.lora, start: model,
      settings: model.settings(records), bf16IsFaster: bf16IsFaster)
    try plan.requireValidation(!records.validation.isEmpty)
  }

  static func sketch(
    _ options: FinetuningOptions, _ reader: ConfigurationReader, _ artifacts: PlannedArtifacts,
    bf16IsFaster: Bool
  ) throws -> PhaseSketch {
    let network = try options.sketchNetwork(try artifacts.model(in: options.start.from))
    return PhaseSketch(
      plan: try TrainingPlan(
        options.training, reader, network: network, lora: options.adapters.lora,
        context: options.start.context, bf16IsFaster: bf16IsFaster))
  }

  func rowSizes() throws -> RowSizes? { try task.rowSizes(plan) }

  func preparedForTiming(_ run: RunContext) throws -> PreparedPhase? { try prepare(run) }

  /// Makes the objective and the evaluator.
  func prepare(_ run: RunContext) throws -> PreparedPhase {
    try task.notes.forEach(run.note)
    return PreparedPhase(
      objective: try task.objective(plan), evaluator: try task.evaluator(plan))
  }
}

extension FinetuningOptions {
  /// Returns the task that the configuration names, with the examples of `records`.
  fileprivate func task(
    _ model: InitialModel, _ records: RecordSet, _ reader: ConfigurationReader
  ) throws -> any SupervisedTask {
    let options = data.exampleOptions(context: model.context)
    switch task {
    case .chat where model.folder.configuration.prediction == .sequenceToSequence:
      return try SequenceToSequenceTask(model, records, options, reader)
    case .chat: return try ConversationTask(model, records, options)
    case .classification:
      return try LabelTask(
        model, records, options, problem: .classification,
        classes: try self.classes(of: model, reader))
    case .regression:
      return try LabelTask(model, records, options, problem: .regression, classes: nil)
    case .tokens:
      return try TagTask(model, records, options, classes: try self.classes(of: model, reader))
    }
  }

  /// Returns the network of the task; the number of classes may be unknown without the texts, but
  /// the head is small.
  fileprivate func sketchNetwork(_ model: any ModelConfiguration) throws -> any NetworkConfiguration
  {
    let labels = classes ?? ["0", "1"]
    switch task {
    case .chat: return model
    case .regression: return try SequenceClassifierConfiguration.sketch(model, labels: ["value"])
    case .classification: return try SequenceClassifierConfiguration.sketch(model, labels: labels)
    case .tokens: return try TokenClassifierConfiguration(model, labels: labels)
    }
  }
}

extension SequenceClassifierConfiguration {
  /// The sizes of a classifier whose tokenizer is not known yet.
  static func sketch(
    _ model: any ModelConfiguration, labels: [String]
  ) throws -> SequenceClassifierConfiguration {
    try SequenceClassifierConfiguration(
      model, labels: labels, problem: labels.count == 1 ? .regression : .classification, padding: 0)
  }
}
