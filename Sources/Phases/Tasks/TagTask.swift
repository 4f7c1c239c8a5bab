import Datasets
import Models
import Training

/// Classification of words, such as named entities.
struct TagTask: SupervisedTask {
  let network: any NetworkConfiguration
  let examples: SplitExamples<TagSet>

  /// - Parameter classes: The tags that are known before the texts are read; nil for those of the
  ///   texts.
  init(
    _ model: InitialModel, _ records: RecordSet, _ options: Datasets.ExampleOptions,
    classes: [String]?
  ) throws {
    examples = try SplitExamples(records) { records, train in
      try TagSet(
        records, tokenizer: model.folder.tokenizer, classes: train?.classes ?? classes,
        options: options,
        padding: train?.padding ?? model.folder.padding)
    }
    let classifier = try TokenClassifierConfiguration(
      model.folder.configuration, labels: examples.train.classes)
    try model.requireHead(of: classifier)
    network = classifier
  }

  func objective(_ plan: TrainingPlan) -> any Objective { TokenObjective(examples.loader(plan)) }

  func evaluator(of examples: TagSet, _ plan: TrainingPlan) -> TagEvaluator {
    TagEvaluator(examples, sequences: plan.rows)
  }
}
