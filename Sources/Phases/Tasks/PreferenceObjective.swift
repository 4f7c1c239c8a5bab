import DataParallel
import Datasets
import Layers
import Models
import Monitoring
import Objectives
import Tensors
import Training

/// The objective of DPO and IPO: the policy prefers the chosen answer of a pair more strongly than
/// the reference model does.
struct PreferenceObjective: Objective {
  private let source: PairLoader
  private let loss: DirectPreference

  init(_ source: PairLoader, _ options: PreferenceOptions) {
    self.source = source
    loss = DirectPreference(
      beta: options.beta,
      form: options.form == .ipo ? .ipo : .sigmoid(labelSmoothing: options.labelSmoothing))
  }

  let hasMeasures = true

  func loss(of microBatch: MicroBatch, on replica: Replica, in workspace: Workspace) throws
    -> MicroBatchLoss
  {
    try replica.read(microBatch, from: source, workspace)
    return MicroBatchLoss(
      loss: loss(of: replica.batch, on: replica, microBatch),
      positions: 2 * replica.batch.positions)
  }

  /// Returns the loss of a batch of pairs.
  func loss(of batch: Batch, on replica: Replica, _ microBatch: MicroBatch? = nil) -> Loss {
    let policy = replica.model.answerLogProbabilities(
      batch,
      ForwardPass(
        sequences: batch.sequences, dropout: microBatch?.dropout,
        recomputation: microBatch?.recomputation ?? .none))
    let reference = replica.reference.answerLogProbabilities(
      batch, ForwardPass(sequences: batch.sequences))
    return loss(
      policy: policy, reference: reference.values, lengths: batch.answerLengths,
      weights: batch.pairWeights)
  }

  func epochs(steps: Int) -> Double { source.epochsSeen(steps) }
}

extension LanguageModel {
  /// Returns log p of every row's answer, summed over its tokens, [sequences].
  func answerLogProbabilities(_ batch: Batch, _ pass: ForwardPass) -> Tensor {
    hidden(batch.inputs, pass).logProbabilities(
      head: head.weight, targets: batch.targets, weights: batch.weights
    ).chosen.sums(
      over: (0..<batch.sequences).map { $0 * batch.context..<($0 + 1) * batch.context })
  }
}

extension Batch {
  /// The number of tokens of every row in the loss mask, at least 1.
  var answerLengths: [Int] {
    (0..<sequences).map { row in
      max(1, weights[row * context..<(row + 1) * context].count { $0 != 0 })
    }
  }
}

/// Evaluates a policy on held-out pairs.
struct PreferenceEvaluator: HeldOutEvaluator {
  private let loader: PairEvaluationLoader
  private let objective: PreferenceObjective

  init(_ loader: PairEvaluationLoader, objective: PreferenceObjective) {
    self.loader = loader
    self.objective = objective
  }

  /// Computes the loss, and the accuracy and margin of the policy's preferences.
  ///
  /// Collective.
  func measure(_ replicas: DataParallel<Replica>) throws -> (loss: Tally, figures: [Figure]) {
    // One record per number of the measures.
    let (loss, measures) = try replicas.measured(count: loader.batchCount) {
      [loader, objective] replica, _, index in
      loader.fill(&replica.batch, index: index)
      let loss = objective.loss(of: replica.batch, on: replica)
      return (Tally(sum: loss.total, count: loss.count), loss.measures.numbers)
    }
    let total = measures.reduce(Measures()) { $0 + Measures(numbers: $1) }
    return (loss, total.figures.map { Figure($0.name, $0.value) })
  }
}
