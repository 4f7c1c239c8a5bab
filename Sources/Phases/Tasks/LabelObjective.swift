import DataParallel
import Datasets
import Evaluation
import Layers
import Models
import Monitoring
import Objectives
import Tensors
import Training

/// The objective of sequence classifiers: cross-entropy of classes, or the squared error of values.
struct LabelObjective: Objective {
  private let source: LabelLoader
  private let problem: SequenceClassifierConfiguration.Problem

  init(_ source: LabelLoader, problem: SequenceClassifierConfiguration.Problem) {
    self.source = source
    self.problem = problem
  }

  let hasMeasures = true

  func loss(of microBatch: MicroBatch, on replica: Replica, in workspace: Workspace) throws
    -> MicroBatchLoss
  {
    try replica.read(microBatch, from: source, workspace)
    let scores = replica.scores(microBatch)
    return MicroBatchLoss(
      loss: LabelObjective.loss(scores, replica.batch, problem),
      positions: replica.batch.positions)
  }

  /// Returns the loss of scores [rows, labels]; a row of padding has weight 0.
  static func loss(
    _ scores: Tensor, _ batch: Batch, _ problem: SequenceClassifierConfiguration.Problem
  ) -> Loss {
    problem == .classification
      ? Classification.loss(
        scores, labels: batch.labels.map { Int($0) }, weights: batch.rowWeights)
      : Regression.loss(scores, targets: batch.labels, weights: batch.rowWeights)
  }

  func epochs(steps: Int) -> Double { source.epochsSeen(steps) }
}

extension Batch {
  /// The weight of every row: 1 for an example, 0 for padding.
  var rowWeights: [Float] {
    (0..<sequences).map { row in
      weights[row * context..<(row + 1) * context].contains { $0 != 0 } ? 1 : 0
    }
  }
}

extension Replica {
  /// Returns the scores of the trained classifier for the batch, [rows, labels].
  func scores(_ microBatch: MicroBatch? = nil) -> Tensor {
    classifier(
      batch.inputs, lengths: batch.lengths,
      ForwardPass(
        sequences: batch.sequences, dropout: microBatch?.dropout,
        recomputation: microBatch?.recomputation ?? .none))
  }
}

/// Evaluates a sequence classifier on held-out texts.
struct LabelEvaluator: HeldOutEvaluator {
  private let loader: LabelEvaluationLoader
  /// The number of classes; 0 for regression.
  private let classes: Int

  init(_ loader: LabelEvaluationLoader, classes: Int) {
    self.loader = loader
    self.classes = classes
  }

  /// Computes the loss, and accuracy and F1 of the classes or the mean squared error of the values.
  ///
  /// Collective.
  func measure(_ replicas: DataParallel<Replica>) throws -> (loss: Tally, figures: [Figure]) {
    let (loss, results) = try replicas.measured(count: loader.batchCount) {
      [loader, classes] replica, _, index in
      loader.fill(&replica.batch, index: index)
      let scores = replica.scores()
      let loss = LabelObjective.loss(
        scores, replica.batch, classes > 0 ? .classification : .regression)
      let predictions = loader.range(ofBatch: index).indices.map { text in
        let row = text - loader.range(ofBatch: index).lowerBound
        let own = UnsafeBufferPointer(
          start: scores.pointer + row * scores.columns, count: scores.columns)
        return LabelPrediction(
          predicted: classes > 0 ? Int32(own.indexOfLargest) : 0,
          actual: classes > 0 ? Int32(replica.batch.labels[row]) : 0)
      }
      return (Tally(sum: loss.total, count: loss.count), predictions)
    }
    let predictions = results.flatMap { $0 }
    var figures: [Figure] = []
    if classes > 0 {
      let quality = ClassificationQuality(
        predicted: predictions.map { Int($0.predicted) },
        actual: predictions.map { Int($0.actual) }, classes: classes)
      figures = quality.figures
    } else {
      figures = [Figure("meanSquaredError", loss.mean)]
    }
    return (loss, figures)
  }
}

/// The predicted and the actual class of a text.
private struct LabelPrediction: BitwiseCopyable, Sendable {
  let predicted: Int32
  let actual: Int32
}
