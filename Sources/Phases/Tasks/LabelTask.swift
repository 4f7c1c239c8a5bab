import Datasets
import Models
import Training

/// Classification or regression of texts.
struct LabelTask: SupervisedTask {
  let network: any NetworkConfiguration
  let examples: SplitExamples<LabelSet>
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
        padding: train?.padding ?? model.folder.padding)
    }
    self.problem = problem
    let classifier = try SequenceClassifierConfiguration(
      model.folder.configuration, labels: isClasses ? examples.train.classes : ["value"],
      problem: problem, padding: model.padding(otherThan: examples.train.last))
    try model.requireHead(of: classifier)
    network = classifier
  }

  func objective(_ plan: TrainingPlan) -> any Objective {
    LabelObjective(
      source: examples.loader(plan), problem: problem, guessLoss: examples.train.guessLoss)
  }

  func evaluator(of examples: LabelSet, _ plan: TrainingPlan) -> LabelEvaluator {
    LabelEvaluator(examples, sequences: plan.rows)
  }
}
