import Datasets
import Models
import Objectives
import Training

/// Reward modelling: the chosen answer of a pair scores higher than the rejected one.
struct RewardTask: SupervisedTask {
  let network: any NetworkConfiguration
  let examples: SplitExamples<PairSet>
  private let loss: BradleyTerry

  init(
    _ model: InitialModel, _ records: RecordSet, _ options: Datasets.ExampleOptions,
    centring: Double
  ) throws {
    examples = try SplitExamples(model, records, options, usesMargins: true)
    loss = BradleyTerry(centring: centring)
    let chat = model.chat
    let classifier = try SequenceClassifierConfiguration(
      model.folder.configuration, labels: SequenceClassifierConfiguration.rewardLabels,
      problem: .regression,
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
