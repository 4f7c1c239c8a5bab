import Datasets
import Models
import Objectives
import Training

extension SplitExamples<PairSet> {
  /// Preference pairs of a chosen and a rejected answer.
  init(_ model: InitialModel, _ records: RecordSet, _ options: Datasets.ExampleOptions) throws {
    try self.init(records, chat: model.chat) { records, _ in
      try PairSet(records, chat: model.chat, options: options)
    }
  }
}

/// Reward modelling: the chosen answer of a pair scores higher than the rejected one.
struct RewardTask: SupervisedTask {
  let network: any NetworkConfiguration
  let examples: SplitExamples<PairSet>
  private let loss: BradleyTerry

  init(
    _ model: InitialModel, _ records: RecordSet, _ options: Datasets.ExampleOptions,
    centring: Double
  ) throws {
    examples = try SplitExamples(model, records, options)
    loss = BradleyTerry(centring: centring)
    let chat = model.chat
    let classifier = try SequenceClassifierConfiguration(
      model.folder.configuration, labels: ["reward"], problem: .regression,
      padding: model.padding(otherThan: chat.afterLastTurn.last ?? chat.endOfTurn))
    try model.requireHead(of: classifier)
    network = classifier
  }

  func objective(_ plan: TrainingPlan) -> any Objective {
    RewardObjective(source: examples.loader(plan), pairLoss: loss)
  }

  func evaluator(of examples: PairSet, _ plan: TrainingPlan) -> RewardEvaluator {
    RewardEvaluator(examples, sequences: plan.rows, loss: loss)
  }
}

/// Direct preference optimization: the policy prefers the chosen answer more than the reference does.
struct PreferenceTask: SupervisedTask {
  let network: any NetworkConfiguration
  let examples: SplitExamples<PairSet>
  private let loss: DirectPreference
  private let endsOnCollapse: Bool

  init(
    _ model: InitialModel, _ records: RecordSet, _ options: Datasets.ExampleOptions,
    loss: PreferenceOptions, endsOnCollapse: Bool
  ) throws {
    self.endsOnCollapse = endsOnCollapse
    examples = try SplitExamples(model, records, options)
    self.loss = DirectPreference(
      beta: loss.beta,
      form: loss.form == .ipo ? .ipo : .sigmoid(labelSmoothing: loss.labelSmoothing))
    network = model.folder.configuration
  }

  func objective(_ plan: TrainingPlan) -> any Objective {
    PreferenceObjective(
      source: examples.loader(plan), pairLoss: loss, endsOnCollapse: endsOnCollapse)
  }

  func evaluator(of examples: PairSet, _ plan: TrainingPlan) -> MeasuredEvaluator<PairSet> {
    MeasuredEvaluator(examples, sequences: plan.rows) { [loss] in loss(of: $0, on: $1) }
  }
}
