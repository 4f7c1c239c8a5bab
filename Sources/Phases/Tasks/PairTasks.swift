import Datasets
import Models
import Training

/// Preference pairs of a chosen and a rejected answer, two rows each.
struct PairExamples: Sendable {
  let examples: SplitExamples<PairSet>

  init(_ model: InitialModel, _ records: RecordSet, _ options: Datasets.ExampleOptions) throws {
    examples = try SplitExamples(records) { records, _ in
      try PairSet(records, chat: model.chat, options: options)
    }
  }

  var statistics: (train: ExampleStatistics, heldOut: ExampleStatistics?) {
    (examples.train.statistics, examples.validation?.statistics)
  }

  func loader(_ plan: TrainingPlan) -> PairLoader {
    PairLoader(
      examples.train, context: plan.context, pairs: plan.rows / 2, microBatches: plan.microBatches,
      seed: plan.seed)
  }

  func evaluationLoader(_ plan: TrainingPlan) -> PairEvaluationLoader? {
    examples.validation.map {
      PairEvaluationLoader($0, context: plan.context, pairs: plan.rows / 2)
    }
  }
}

/// Reward modelling: the chosen answer of a pair scores higher than the rejected one.
struct RewardTask: SupervisedTask {
  let network: TrainedNetwork
  private let pairs: PairExamples
  private let centring: Double

  init(
    _ model: InitialModel, _ records: RecordSet, _ options: Datasets.ExampleOptions,
    centring: Double
  ) throws {
    pairs = try PairExamples(model, records, options)
    self.centring = centring
    let classifier = try SequenceClassifierConfiguration(
      model.folder.configuration, labels: ["reward"], problem: .regression,
      padding: Int(pairs.examples.train.padding))
    try model.requireHead(of: classifier)
    network = .classifier(classifier)
  }

  var statistics: (train: ExampleStatistics, heldOut: ExampleStatistics?) { pairs.statistics }

  func objective(_ plan: TrainingPlan) -> any Objective {
    RewardObjective(pairs.loader(plan), centring: centring)
  }

  func evaluator(_ plan: TrainingPlan) -> (any HeldOutEvaluator)? { rewardEvaluator(plan) }

  /// Returns the evaluator with the quality for the verdict.
  func rewardEvaluator(_ plan: TrainingPlan) -> RewardEvaluator? {
    pairs.evaluationLoader(plan).map { RewardEvaluator($0, centring: centring) }
  }
}

/// Direct preference optimization: the policy prefers the chosen answer more than the reference does.
struct PreferenceTask: SupervisedTask {
  let network: TrainedNetwork
  private let pairs: PairExamples
  private let loss: PreferenceOptions

  init(
    _ model: InitialModel, _ records: RecordSet, _ options: Datasets.ExampleOptions,
    loss: PreferenceOptions
  ) throws {
    pairs = try PairExamples(model, records, options)
    self.loss = loss
    network = .language(model.folder.configuration)
  }

  var statistics: (train: ExampleStatistics, heldOut: ExampleStatistics?) { pairs.statistics }

  func objective(_ plan: TrainingPlan) -> any Objective {
    PreferenceObjective(pairs.loader(plan), loss)
  }

  func evaluator(_ plan: TrainingPlan) -> (any HeldOutEvaluator)? {
    pairs.evaluationLoader(plan).map {
      PreferenceEvaluator($0, objective: PreferenceObjective(pairs.loader(plan), loss))
    }
  }
}
