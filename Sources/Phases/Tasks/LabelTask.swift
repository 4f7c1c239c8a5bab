import Datasets
import Models
import Tokenizers
import Training

/// Classification or regression of texts.
struct LabelTask: SupervisedTask {
  let network: TrainedNetwork
  private let examples: SplitExamples<LabelSet>
  private let problem: SequenceClassifierConfiguration.Problem

  /// - Parameters:
  ///   - problem: Classification or regression.
  ///   - classes: The classes that are known before the texts are read; nil for those of the texts.
  init(
    _ model: InitialModel, _ records: RecordSet, _ options: Datasets.ExampleOptions,
    problem: SequenceClassifierConfiguration.Problem, classes: [String]?
  ) throws {
    let isClasses = problem == .classification
    examples = try SplitExamples(records) { records, train in
      // Held-out texts have the classes of the training texts.
      try LabelSet(
        records, tokenizer: model.folder.tokenizer,
        task: isClasses ? .classes(train?.classes ?? classes) : .values, options: options,
        padding: train?.padding ?? model.folder.configuration.padding.map { TokenID($0) })
    }
    self.problem = problem
    let classifier = try SequenceClassifierConfiguration(
      model.folder.configuration, labels: isClasses ? examples.train.classes : ["value"],
      problem: problem, padding: Int(examples.train.padding))
    try model.requireHead(of: classifier)
    network = .classifier(classifier)
  }

  var statistics: (train: ExampleStatistics, heldOut: ExampleStatistics?) {
    (examples.train.statistics, examples.validation?.statistics)
  }

  func objective(_ plan: TrainingPlan) -> any Objective {
    LabelObjective(
      LabelLoader(
        examples.train, context: plan.context, sequences: plan.rows,
        microBatches: plan.microBatches, seed: plan.seed), problem: problem)
  }

  func evaluator(_ plan: TrainingPlan) -> (any HeldOutEvaluator)? {
    examples.validation.map {
      LabelEvaluator(
        LabelEvaluationLoader($0, context: plan.context, sequences: plan.rows),
        classes: $0.classes.count)
    }
  }
}
