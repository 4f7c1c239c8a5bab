import DataParallel
import Datasets
import Evaluation
import Layers
import Models
import Monitoring
import Objectives
import Tensors

/// The objective of sequence classifiers: cross-entropy of classes, or the squared error of values.
struct LabelObjective: Objective {
  private let source: LabelLoader
  private let task: FinetuningOptions.Task

  init(_ source: LabelLoader, task: FinetuningOptions.Task) {
    self.source = source
    self.task = task
  }

  let hasMeasures = true

  func loss(of microBatch: MicroBatch, on replica: Replica, in workspace: Workspace) throws
    -> MicroBatchLoss
  {
    try replica.read(microBatch, from: source, workspace)
    let scores = replica.scores(microBatch)
    return MicroBatchLoss(
      loss: LabelObjective.loss(scores, replica.batch, task: task),
      positions: replica.batch.positions)
  }

  /// Returns the loss of scores [rows, labels]; a row of padding has weight 0.
  static func loss(_ scores: Tensor, _ batch: Batch, task: FinetuningOptions.Task) -> Loss {
    task == .classification
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
struct LabelEvaluator: Evaluator {
  private let loader: LabelEvaluationLoader
  /// The number of classes; 0 for regression.
  private let classes: Int

  init(_ loader: LabelEvaluationLoader, classes: Int) {
    self.loader = loader
    self.classes = classes
  }

  let evaluatesBeforeTraining = true

  func evaluate(_ trainer: Trainer) throws -> (report: EvaluationReport, note: String?) {
    var clock = Stopwatch()
    let (loss, figures) = try measure(trainer.replicas)
    return (trainer.report(loss, seconds: clock.lap(), figures: figures), nil)
  }

  /// Computes the loss, and accuracy and F1 of the classes or the mean squared error of the values.
  ///
  /// Collective.
  func measure(_ replicas: DataParallel<Replica>) throws -> (loss: Tally, figures: [Figure]) {
    // Loss and weight of a batch, then the prediction and label of each text.
    let results = try replicas.collected(count: loader.batchCount) {
      [loader, classes] replica, _, index -> [Double] in
      loader.fill(&replica.batch, index: index)
      let scores = replica.scores()
      let loss = LabelObjective.loss(
        scores, replica.batch, task: classes > 0 ? .classification : .regression)
      let rows = loader.range(ofBatch: index).count
      return [loss.total, loss.count]
        + (0..<rows).flatMap { row -> [Double] in
          let own = UnsafeBufferPointer(
            start: scores.pointer + row * scores.columns, count: scores.columns)
          let prediction = classes > 0 ? Double(own.indexOfLargest) : Double(own[0])
          return [prediction, Double(replica.batch.labels[row])]
        }
    }
    let loss = results.map { Tally(sum: $0[0], count: $0[1]) }.total
    let pairs = results.flatMap { $0.dropFirst(2) }
    let predicted = stride(from: 0, to: pairs.count, by: 2).map { pairs[$0] }
    let actual = stride(from: 1, to: pairs.count, by: 2).map { pairs[$0] }
    var figures: [Figure] = []
    if classes > 0 {
      let quality = ClassificationQuality(
        predicted: predicted.map { Int($0) }, actual: actual.map { Int($0) }, classes: classes)
      figures = [
        Figure("accuracy", quality.accuracy),
        Figure("accuracyLow", quality.interval.lowerBound, isDetail: true),
        Figure("accuracyHigh", quality.interval.upperBound, isDetail: true),
        Figure("macroF1", quality.macroF1),
      ]
    } else {
      figures = [Figure("meanSquaredError", loss.mean)]
    }
    return (loss, figures)
  }
}
