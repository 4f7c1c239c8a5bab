import Datasets
import Models
import Tokenizers
import Training

/// Classification of words, such as named entities.
struct TagTask: SupervisedTask {
  let network: TrainedNetwork
  private let examples: SplitExamples<TagSet>

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
        padding: train?.padding ?? model.folder.configuration.padding.map { TokenID($0) })
    }
    let classifier = try TokenClassifierConfiguration(
      model.folder.configuration, labels: examples.train.classes)
    try model.requireHead(of: classifier)
    network = .tokenClassifier(classifier)
  }

  var statistics: (train: ExampleStatistics, heldOut: ExampleStatistics?) {
    (examples.train.statistics, examples.validation?.statistics)
  }

  func objective(_ plan: TrainingPlan) -> any Objective {
    TokenObjective(
      TagLoader(
        examples.train, context: plan.context, sequences: plan.rows,
        microBatches: plan.microBatches, seed: plan.seed))
  }

  func evaluator(_ plan: TrainingPlan) -> (any HeldOutEvaluator)? {
    examples.validation.map {
      TagEvaluator(TagEvaluationLoader($0, context: plan.context, sequences: plan.rows))
    }
  }
}
