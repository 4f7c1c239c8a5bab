import Configuration
import Datasets
import Models
import Monitoring
import Tensors
import Training

/// Training of a reward model from human judgements: it scores answers, the chosen one of a pair
/// higher than the rejected one (Bradley and Terry 1952; Ouyang and others 2022).
package struct RewardModelling: ConfiguredPhase {
  package let plan: TrainingPlan
  private let task: RewardTask
  private let report: ExampleReport

  /// Makes the plan from the keys of `reader`, the initial model and the pairs.
  ///
  /// - Parameter bf16IsFaster: True when the CPUs of all ranks compute faster in bf16 than in fp32.
  package init(
    _ reader: inout ConfigurationReader, bf16IsFaster: Bool = MatrixLibrary.bf16IsFaster
  ) throws {
    let options = try RewardOptions(&reader)
    try reader.finish()
    let model = try InitialModel(options.start, template: options.data.template, reader)
    let records = try options.data.records()
    task = try RewardTask(
      model, records, options.data.exampleOptions(context: model.context),
      centring: options.centring)
    report = ExampleReport(records, task.statistics)
    plan = try TrainingPlan(
      options.training, reader, tokenizer: model.folder.tokenizer, network: task.network,
      lora: options.adapters.lora(savingWhole: task.network.heads), start: model,
      rows: 2 * options.training.sequences, settings: model.settings(records),
      bf16IsFaster: bf16IsFaster)
  }

  package static func readKeys(_ reader: inout ConfigurationReader) throws {
    _ = try RewardOptions(&reader)
  }

  package static func sketch(
    _ reader: inout ConfigurationReader, _ artifacts: PlannedArtifacts, bf16IsFaster: Bool
  ) throws -> PhaseSketch {
    let options = try RewardOptions(&reader)
    let network = TrainedNetwork.classifier(
      try .sketch(try artifacts.model(in: options.start.from), labels: ["reward"]))
    return PhaseSketch(
      plan: try TrainingPlan(
        sketching: options.training, reader, network: network,
        lora: options.adapters.lora(savingWhole: network.heads),
        rows: 2 * options.training.sequences, context: options.start.context,
        bf16IsFaster: bf16IsFaster))
  }

  /// Makes the objective and the evaluator; at the end of the run the verdict is written.
  package func prepare(_ run: RunContext) throws -> PreparedPhase {
    try report.log(to: run)
    let evaluator = task.rewardEvaluator(plan)
    return PreparedPhase(
      objective: task.objective(plan), evaluator: evaluator,
      conclude: { context, checkpoint in
        let quality = try evaluator?.quality(context.replicas).quality
        let verdict = RewardVerdict(
          quality, weights: try checkpoint.map { try RewardVerdict.digest(ofCheckpoint: $0) })
        if run.world.rank == 0 { try verdict.write(to: run.folder) }
        return [EventReport(.note, verdict.sentence)]
      })
  }
}
