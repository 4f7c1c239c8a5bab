import DataParallel
import Datasets
import Evaluation
import Monitoring
import Objectives
import Tensors
import Training

/// The objective of reward models: the chosen answer of a pair scores higher than the rejected one.
struct RewardObjective: BatchObjective {
  let source: any BatchSource
  let pairLoss: BradleyTerry

  let hasMeasures = true

  func loss(of batch: Batch, on replica: Replica, _ microBatch: MicroBatch) -> Loss {
    pairLoss(
      replica.scores(batch, microBatch), margins: batch.margins, weights: batch.pairWeights)
  }
}

extension Batch {
  /// The weight of every pair of rows: 1 for a pair, 0 for padding.
  var pairWeights: [Float] {
    let rows = rowWeights
    return stride(from: 0, to: sequences, by: 2).map { rows[$0] }
  }

  /// The batch with the two rows of every pair swapped.
  var swappingPairs: Batch {
    var swapped = self
    for pair in 0..<sequences / 2 {
      for i in 0..<context {
        let (first, second) = (2 * pair * context + i, (2 * pair + 1) * context + i)
        swapped.inputs.swapAt(first, second)
        swapped.targets.swapAt(first, second)
        swapped.weights.swapAt(first, second)
      }
      swapped.lengths.swapAt(2 * pair, 2 * pair + 1)
    }
    return swapped
  }
}

/// Evaluates a reward model on held-out pairs.
struct RewardEvaluator: HeldOutEvaluator {
  private let loader: RowEvaluationLoader<PairSet>
  private let loss: BradleyTerry

  init(_ set: PairSet, context: Int, sequences: Int, loss: BradleyTerry) {
    loader = RowEvaluationLoader(set, context: context, sequences: sequences)
    self.loss = loss
  }

  /// Computes the loss, and the quality of the model as figures.
  ///
  /// Collective.
  func measure(_ replicas: DataParallel<Replica>) throws -> (loss: Tally, figures: [Figure]) {
    let (loss, quality) = try quality(replicas)
    var figures = [
      Figure("accuracy", quality.accuracy),
      Figure("accuracyLow", quality.interval[0], isDetail: true),
      Figure("accuracyHigh", quality.interval[1], isDetail: true),
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
      [loader, loss] replica, _, index in
      loader.fill(&replica.batch, index: index)
      let batch = replica.batch
      let scores = replica.scores(batch)
      let own = loss(scores, margins: batch.margins, weights: batch.pairWeights)
      let lengths = (0..<batch.sequences).map { row in
        let row = row * batch.context..<(row + 1) * batch.context
        return batch.weights[row].reduce(0.0) { $0 + Double($1) }
      }
      let swapped = replica.scores(batch.swappingPairs)
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
