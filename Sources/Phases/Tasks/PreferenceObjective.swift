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
struct PreferenceObjective: BatchObjective {
  let source: any BatchSource
  let pairLoss: DirectPreference
  /// True to end the run when the policy has collapsed.
  let endsOnCollapse: Bool

  let hasMeasures = true

  func loss(of batch: Batch, on replica: Replica, _ microBatch: MicroBatch) -> Loss {
    pairLoss(of: batch, on: replica, microBatch)
  }

  func divergence(in measures: Measures, vocabulary: Int) -> String? {
    endsOnCollapse ? measures.collapse(vocabulary: vocabulary) : nil
  }
}

extension DirectPreference {
  /// Returns the loss of a batch of pairs.
  func callAsFunction(
    of batch: Batch, on replica: Replica, _ microBatch: MicroBatch? = nil
  ) -> Loss {
    let policy = replica.model.answerLogProbabilities(batch, batch.pass(microBatch))
    let reference = replica.reference.answerLogProbabilities(batch, batch.pass())
    return self(
      policy: policy, reference: reference.values, lengths: batch.answerLengths)
  }
}

extension LanguageModel {
  /// Returns log p of every example's answer, summed over its tokens, [examples].
  func answerLogProbabilities(_ batch: Batch, _ pass: ForwardPass) -> Tensor {
    hidden(batch.inputs, pass).logProbabilities(
      head: head.weight, targets: batch.targets, weights: batch.weights
    ).chosen.sums(over: batch.examples)
  }
}

extension Batch {
  /// The number of tokens of every example in the loss mask, at least 1.
  var answerLengths: [Int] {
    examples.map { places in max(1, weights[places].count { $0 != 0 }) }
  }
}

/// Evaluates a model by the loss and the measures of an objective on held-out examples.
struct MeasuredEvaluator<Examples: BatchableSet>: HeldOutEvaluator {
  private let loader: SetEvaluationLoader<Examples>
  private let loss: @Sendable (Batch, Replica) -> Loss

  init(
    _ set: Examples, sequences: Int, loss: @escaping @Sendable (Batch, Replica) -> Loss
  ) {
    loader = SetEvaluationLoader(set, sequences: sequences)
    self.loss = loss
  }

  /// Computes the loss and the measures, such as the accuracy and margin of the policy's preferences.
  ///
  /// Collective.
  func measure(_ replicas: DataParallel<Replica>) throws -> (loss: Tally, figures: [Figure]) {
    // One record per number of the measures.
    let (loss, measures) = try replicas.measured(count: loader.batchCount) {
      [loader, loss] replica, _, index in
      loader.fill(&replica.batch, index: index)
      let loss = loss(replica.batch, replica)
      return (Tally(sum: loss.total, count: loss.count), loss.measures.numbers)
    }
    let total = measures.reduce(Measures()) { $0 + Measures(numbers: $1) }
    return (loss, total.figures.map { Figure($0.name, $0.value) })
  }
}
