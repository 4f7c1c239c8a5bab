import Configuration
import Datasets
import Models
import Monitoring
import Tensors

/// A reward model from human judgements: a score for an answer, higher for the chosen of a pair
/// (Bradley and Terry 1952; Ouyang and others 2022).
public struct RewardModelling: Phase {
  /// What is settled of the run.
  public let plan: TrainingPlan
  /// What was typed, with every default.
  public let options: RewardOptions
  private let train: PairSet
  private let validation: PairSet?
  private let report: ExampleReport

  /// Settles what the keys of `reader` say; reads model and pairs.
  ///
  /// - Parameter halvesAreQuick: Whether the CPUs of all ranks are quicker in bf16 than in fp32.
  public init(
    _ reader: inout ConfigurationReader, halvesAreQuick: Bool = MatrixLibrary.hasHalfProducts
  ) throws {
    options = try RewardOptions(&reader)
    try reader.finish()
    let model = try PhaseModel(options.start, template: options.data.template, reader)
    let records = try options.data.records()
    let making = options.data.making(context: model.context)
    train = try PairSet(records.train, chat: model.chat, options: making)
    validation =
      records.validation.isEmpty
      ? nil : try PairSet(records.validation, chat: model.chat, options: making)
    report = ExampleReport(records, train: train.statistics, heldOut: validation?.statistics)
    let scorer = try SequenceScorerConfiguration(
      model.folder.configuration, labels: ["reward"], problem: .regression,
      padding: Int(train.padding))
    try model.requireHead(of: scorer)
    let network = TrainedNetwork.scorer(scorer)
    var terms = model.terms(records)
    terms["reward.centring"] = "\(options.centring)"
    plan = try TrainingPlan(
      options.training, reader, tokenizer: model.folder.tokenizer, network: network,
      lora: options.adapters.lora(savingWhole: network.heads),
      start: model, rows: 2 * options.training.sequences,
      terms: terms, halvesAreQuick: halvesAreQuick)
  }

  /// The loaders of the pairs.
  public func prepare(_ site: PhaseSite) throws -> PhaseWork {
    let pairs = plan.options.sequences
    try report.tell(site)
    let objective = RewardObjective(
      PairLoader(
        train, context: plan.context, pairs: pairs, microBatches: plan.options.microBatches,
        seed: UInt64(plan.options.seed)), centring: options.centring)
    let evaluator = validation.map {
      RewardEvaluator(
        PairEvaluationLoader($0, context: plan.context, pairs: pairs), objective: objective)
    }
    return PhaseWork(
      objective: objective, evaluator: evaluator, terms: [:],
      conclude: { trainer, checkpoint in
        let quality = try evaluator?.quality(trainer.replicas).quality
        let verdict = RewardVerdict(
          quality, weights: try checkpoint.map { try RewardVerdict.digest(ofCheckpoint: $0) })
        if site.world.rank == 0 { try verdict.write(to: site.folder) }
        return [EventReport(.note, verdict.sentence)]
      })
  }
}
