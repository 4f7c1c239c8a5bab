import DataParallel
import Datasets
import Evaluation
import Glibc
import Monitoring
import Objectives
import Tensors
import Training

/// The objective of reward models: the chosen answer of a pair scores higher than the rejected one.
struct RewardObjective: BatchObjective {
  let source: any BatchSource
  let pairLoss: BradleyTerry

  let hasMeasures = true

  /// Returns the loss of equal scores.
  func guessLoss(vocabulary: Int) -> Double? { log(2) }

  func loss(of batch: Batch, on replica: Replica, _ microBatch: MicroBatch) -> Loss {
    pairLoss(
      replica.classifier.scores(batch, batch.comparingPass(microBatch)), margins: batch.margins)
  }
}

/// Evaluates a reward model on held-out pairs.
struct RewardEvaluator: HeldOutEvaluator {
  private let loader: SetEvaluationLoader<PairSet>
  /// The pairs with their sides exchanged.
  private let swappedLoader: SetEvaluationLoader<PairSet>
  private let loss: BradleyTerry

  init(_ set: PairSet, sequences: Int, loss: BradleyTerry) {
    loader = SetEvaluationLoader(set, sequences: sequences)
    swappedLoader = SetEvaluationLoader(set.swapped, sequences: sequences)
    self.loss = loss
  }

  /// Computes the loss, and the quality of the model as figures.
  ///
  /// Collective.
  func measure(_ replicas: DataParallel<Replica>) throws -> (loss: Tally, figures: [Figure]) {
    let (loss, quality) = try quality(replicas)
    var figures = Figure.bounded(
      "accuracy", quality.accuracy, in: quality.interval[0]...quality.interval[1])
    figures += [
      Figure("margin", quality.margin),
      Figure("calibrationError", quality.calibrationError),
      Figure("swapAgreement", quality.swapAgreement, isDetail: true),
    ]
    if let bias = quality.lengthCorrelation { figures.append(Figure("lengthCorrelation", bias)) }
    return (loss, figures)
  }

  /// Computes the loss and the quality of the model.
  ///
  /// Collective.
  func quality(_ replicas: DataParallel<Replica>) throws -> (loss: Tally, quality: RewardQuality) {
    let (total, pairs) = try replicas.measured(count: loader.batchCount) {
      [loader, swappedLoader, loss] replica, _, index in
      swappedLoader.fill(&replica.batch, index: index)
      let swapped = replica.scores(replica.batch)
      loader.fill(&replica.batch, index: index)
      let batch = replica.batch
      let scores = replica.scores(batch)
      let own = loss(scores, margins: batch.margins)
      let lengths = batch.examples.map { places in
        batch.weights[places].reduce(0.0) { $0 + Double($1) }
      }
      let pairs = (0..<loader.range(ofBatch: index).count).map { pair in
        let chosen = 2 * pair
        return RewardQuality.Pair(
          scores: (Double(scores.pointer[chosen]), Double(scores.pointer[chosen + 1])),
          swappedScores: (Double(swapped.pointer[chosen + 1]), Double(swapped.pointer[chosen])),
          lengths: (lengths[chosen], lengths[chosen + 1]))
      }
      return (Tally(sum: own.total, count: own.count), pairs)
    }
    return (total, RewardQuality(pairs.flatMap(\.self)))
  }
}
