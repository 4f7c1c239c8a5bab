import DataParallel
import Datasets
import Evaluation
import Monitoring
import Objectives
import Tensors

/// The objective of reward models: the chosen answer of a pair scores higher than the rejected one.
struct RewardObjective: Objective {
  private let source: PairLoader
  private let loss: BradleyTerry

  init(_ source: PairLoader, centring: Double) {
    self.source = source
    loss = BradleyTerry(centring: centring)
  }

  let hasMeasures = true

  func loss(of microBatch: MicroBatch, on replica: Replica, in workspace: Workspace) throws
    -> MicroBatchLoss
  {
    try replica.read(microBatch, from: source, workspace)
    return MicroBatchLoss(
      loss: loss(replica.scores(microBatch), replica.batch), positions: replica.batch.positions)
  }

  /// Returns the loss of the scores of a batch of pairs.
  func loss(_ scores: Tensor, _ batch: Batch) -> Loss {
    loss(scores, margins: batch.margins, weights: batch.pairWeights)
  }

  func epochs(steps: Int) -> Double { source.epochsSeen(steps) }
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
struct RewardEvaluator: Evaluator {
  private let loader: PairEvaluationLoader
  private let objective: RewardObjective

  init(_ loader: PairEvaluationLoader, objective: RewardObjective) {
    self.loader = loader
    self.objective = objective
  }

  let evaluatesBeforeTraining = true

  func evaluate(_ trainer: Trainer) throws -> (report: EvaluationReport, note: String?) {
    var clock = Stopwatch()
    let (loss, figures) = try measure(trainer.replicas)
    return (trainer.report(loss, seconds: clock.lap(), figures: figures), nil)
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
    // Loss and weight of a batch, then six numbers for each pair.
    let results = try replicas.collected(count: loader.batchCount) {
      [loader, objective] replica, _, index -> [Double] in
      loader.fill(&replica.batch, index: index)
      let scores = replica.scores()
      let loss = objective.loss(scores, replica.batch)
      let answers = (0..<replica.batch.sequences).map { row in
        let row = row * replica.batch.context..<(row + 1) * replica.batch.context
        return replica.batch.weights[row].reduce(0.0) { $0 + Double($1) }
      }
      replica.batch = replica.batch.swappingPairs
      let swapped = replica.scores()
      return [loss.total, loss.count]
        + loader.range(ofBatch: index).indices.flatMap { pair -> [Double] in
          let chosen = 2 * (pair - loader.range(ofBatch: index).lowerBound)
          return [
            Double(scores.pointer[chosen]), Double(scores.pointer[chosen + 1]),
            Double(swapped.pointer[chosen + 1]), Double(swapped.pointer[chosen]),
            answers[chosen], answers[chosen + 1],
          ]
        }
    }
    let pairs = results.flatMap { numbers in
      stride(from: 2, to: numbers.count, by: 6).map {
        RewardQuality.Pair(
          scores: (numbers[$0], numbers[$0 + 1]),
          swappedScores: (numbers[$0 + 2], numbers[$0 + 3]),
          lengths: (numbers[$0 + 4], numbers[$0 + 5]))
      }
    }
    return (results.map { Tally(sum: $0[0], count: $0[1]) }.total, RewardQuality(pairs))
  }
}
