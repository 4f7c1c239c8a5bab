import Checkpoints
import Configuration
import Datasets
import Models
import Monitoring
import Training

/// Training of a reward model from human judgements: it scores answers, the chosen one of a pair
/// higher than the rejected one (Bradley and Terry 1952; Ouyang and others 2022).
struct RewardModelling: ConfiguredPhase {
  let plan: TrainingPlan
  private let task: RewardTask

  /// Makes the plan from the keys, the initial model and the pairs.
  init(_ options: RewardOptions, _ reader: ConfigurationReader, bf16IsFaster: Bool) throws {
    let model = try InitialModel(options.start, template: options.data.template, reader)
    let records = try options.data.records()
    task = try RewardTask(
      model, records, options.data.exampleOptions(context: model.context),
      centring: options.centring)
    plan = try TrainingPlan(
      options.training, reader, network: task.network, lora: options.adapters.lora, start: model,
      rows: 2 * options.training.sequences, settings: model.settings(records),
      bf16IsFaster: bf16IsFaster)
    try plan.requireValidation(!records.validation.isEmpty)
  }

  static func sketch(
    _ options: RewardOptions, _ reader: ConfigurationReader, _ artifacts: PlannedArtifacts,
    bf16IsFaster: Bool
  ) throws -> PhaseSketch {
    let network = try SequenceClassifierConfiguration.sketch(
      try artifacts.model(in: options.start.from),
      labels: SequenceClassifierConfiguration.rewardLabels)
    return PhaseSketch(
      plan: try TrainingPlan(
        options.training, reader, network: network, lora: options.adapters.lora,
        rows: 2 * options.training.sequences, context: options.start.context,
        bf16IsFaster: bf16IsFaster))
  }

  func rowSizes() throws -> RowSizes? { try task.rowSizes(plan) }

  func preparedForTiming(_ run: RunContext) throws -> PreparedPhase? { try prepare(run) }

  /// Makes the objective and the evaluator; at the end of the run the verdict is written.
  func prepare(_ run: RunContext) throws -> PreparedPhase {
    try task.notes.forEach(run.note)
    let evaluator = try task.evaluator(plan)
    return PreparedPhase(
      objective: task.objective(plan), evaluator: evaluator,
      conclude: { context, checkpoint in
        let quality = try evaluator?.quality(context.replicas).quality
        let verdict = RewardVerdict(
          quality, weights: try checkpoint.map { try ModelFolder(path: $0).weightsDigest() })
        if run.world.rank == 0 { try verdict.write(to: run.folder) }
        return [EventReport(.note, verdict.sentence)]
      })
  }
}
