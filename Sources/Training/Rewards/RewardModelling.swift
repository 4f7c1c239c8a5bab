import Configuration
import Datasets
import Models
import Monitoring
import Tensors

/// Training of a reward model from human judgements: it scores answers, the chosen one of a pair
/// higher than the rejected one (Bradley and Terry 1952; Ouyang and others 2022).
package struct RewardModelling: Phase {
  package let plan: TrainingPlan
  /// The values of the configuration's keys.
  package let options: RewardOptions
  private let train: PairSet
  private let validation: PairSet?
  private let report: ExampleReport

  /// Makes the plan from the keys of `reader`, the initial model and the pairs.
  ///
  /// - Parameter bf16IsFaster: True when the CPUs of all ranks compute faster in bf16 than in fp32.
  package init(
    _ reader: inout ConfigurationReader, bf16IsFaster: Bool = MatrixLibrary.bf16IsFaster
  ) throws {
    options = try RewardOptions(&reader)
    try reader.finish()
    let model = try PhaseModel(options.start, template: options.data.template, reader)
    let records = try options.data.records()
    let exampleOptions = options.data.exampleOptions(context: model.context)
    train = try PairSet(records.train, chat: model.chat, options: exampleOptions)
    validation =
      records.validation.isEmpty
      ? nil : try PairSet(records.validation, chat: model.chat, options: exampleOptions)
    report = ExampleReport(records, train: train.statistics, heldOut: validation?.statistics)
    let classifier = try SequenceClassifierConfiguration(
      model.folder.configuration, labels: ["reward"], problem: .regression,
      padding: Int(train.padding))
    try model.requireHead(of: classifier)
    let network = TrainedNetwork.classifier(classifier)
    var settings = model.settings(records)
    settings["reward.centring"] = "\(options.centring)"
    plan = try TrainingPlan(
      options.training, reader, tokenizer: model.folder.tokenizer, network: network,
      lora: options.adapters.lora(savingWhole: network.heads),
      start: model, rows: 2 * options.training.sequences,
      settings: settings, bf16IsFaster: bf16IsFaster)
  }

  /// Makes the objective and the evaluator; at the end of the run the verdict is written.
  package func prepare(_ run: RunContext) throws -> PreparedPhase {
    let pairs = plan.options.sequences
    try report.log(to: run)
    let objective = RewardObjective(
      PairLoader(
        train, context: plan.context, pairs: pairs, microBatches: plan.options.microBatches,
        seed: UInt64(plan.options.seed)), centring: options.centring)
    let evaluator = validation.map {
      RewardEvaluator(
        PairEvaluationLoader($0, context: plan.context, pairs: pairs), objective: objective)
    }
    return PreparedPhase(
      objective: objective, evaluator: evaluator, settings: [:],
      conclude: { trainer, checkpoint in
        let quality = try evaluator?.quality(trainer.replicas).quality
        let verdict = RewardVerdict(
          quality, weights: try checkpoint.map { try RewardVerdict.digest(ofCheckpoint: $0) })
        if run.world.rank == 0 { try verdict.write(to: run.folder) }
        return [EventReport(.note, verdict.sentence)]
      })
  }
}
