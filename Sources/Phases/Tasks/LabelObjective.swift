import DataParallel
import Datasets
import Evaluation
import Glibc
import Models
import Monitoring
import Objectives
import Tensors
import Training

/// The objective of sequence classifiers: cross-entropy of classes, or the squared error of values.
struct LabelObjective: BatchObjective {
  let source: any BatchSource
  let problem: SequenceClassifierConfiguration.Problem
  /// The loss of a guess without the text.
  let guessLoss: Double

  let hasMeasures = true

  func guessLoss(vocabulary: Int) -> Double? { guessLoss }

  func loss(of batch: Batch, on replica: Replica, _ microBatch: MicroBatch) -> Loss {
    LabelObjective.loss(replica.scores(batch, microBatch), batch, problem)
  }

  /// Returns the loss of scores [examples, labels].
  static func loss(
    _ scores: Tensor, _ batch: Batch, _ problem: SequenceClassifierConfiguration.Problem
  ) -> Loss {
    problem == .classification
      ? Classification.loss(scores, labels: batch.labels.map { Int($0) })
      : Regression.loss(scores, targets: batch.labels)
  }
}

extension LabelSet {
  /// The mean loss of a guess without the text: a uniform one among the classes, or 0 for a value.
  var guessLoss: Double {
    if classes.isEmpty {
      return labels.reduce(0) { $0 + Double($1) * Double($1) } / Double(labels.count)
    }
    return log(Double(classes.count))
  }
}

extension Replica {
  /// Returns the scores of the trained classifier for `batch`, [examples, labels].
  func scores(_ batch: Batch, _ microBatch: MicroBatch? = nil) -> Tensor {
    classifier.scores(batch, batch.pass(microBatch))
  }
}

/// Evaluates a sequence classifier on held-out texts.
struct LabelEvaluator: HeldOutEvaluator {
  private let loader: SetEvaluationLoader<LabelSet>

  init(_ set: LabelSet, sequences: Int) {
    loader = SetEvaluationLoader(set, sequences: sequences)
  }

  /// Computes the loss, and accuracy and F1 of the classes or the mean squared error of the values.
  ///
  /// Collective.
  func measure(_ replicas: DataParallel<Replica>) throws -> (loss: Tally, figures: [Figure]) {
    let classes = loader.set.classes.count
    let (loss, results) = try replicas.measured(count: loader.batchCount) {
      [loader] replica, _, index in
      loader.fill(&replica.batch, index: index)
      let scores = replica.scores(replica.batch)
      let loss = LabelObjective.loss(
        scores, replica.batch, classes > 0 ? .classification : .regression)
      let predictions = loader.range(ofBatch: index).enumerated().map { row, text in
        ClassPrediction(
          text: text, predicted: scores.indexOfLargest(inRow: row),
          actual: classes > 0 ? Int32(replica.batch.labels[row]) : 0)
      }
      return (Tally(sum: loss.total, count: loss.count), predictions)
    }
    if classes == 0 { return (loss, [Figure("meanSquaredError", loss.mean)]) }
    return (loss, ClassificationQuality(results.flatMap(\.self), classes: classes).figures)
  }
}
