import Datasets
import Layers
import Models
import Objectives
import Tensors
import Training

/// The loss of a batch of answers under the policy and the reference model.
protocol PreferenceLoss: Sendable {
  /// Returns the loss of `batch`; `microBatch` is nil in an evaluation.
  func callAsFunction(
    of batch: Batch, on replica: Replica, _ microBatch: MicroBatch?
  ) -> Loss

  /// Returns the number of tokens of `batch` that a step learns from.
  func tokens(of batch: Batch) -> Int
}

extension DirectPreference: PreferenceLoss {
  func tokens(of batch: Batch) -> Int { batch.tokens }

  /// Returns the loss of a batch of pairs; see `PairSet`.
  func callAsFunction(
    of batch: Batch, on replica: Replica, _ microBatch: MicroBatch?
  ) -> Loss {
    let policy = replica.model.answerLogProbabilities(batch, batch.comparingPass(microBatch))
    let reference = replica.reference.answerLogProbabilities(batch, batch.pass())
    return self(
      policy: policy, reference: reference.values, lengths: batch.answerLengths)
  }
}

extension KahnemanTversky: PreferenceLoss {
  /// Returns the number of tokens of the answers, without the mismatched ones, of which only the KL
  /// is estimated.
  func tokens(of batch: Batch) -> Int {
    batch.examples.prefix(batch.labels.count).reduce(0) { $0 + $1.count }
  }

  /// Returns the loss of a batch of answers and mismatched ones; see `UnpairedPreferenceSet`.
  ///
  /// The KL is estimated over the micro-batch, so that it does not depend on the number of workers.
  func callAsFunction(
    of batch: Batch, on replica: Replica, _ microBatch: MicroBatch?
  ) -> Loss {
    let count = batch.labels.count
    let (own, mismatched) = (batch.part(0..<count), batch.part(count..<2 * count))
    let policy = replica.model.answerLogProbabilities(own, own.comparingPass(microBatch))
    let divergence = policy.workspace.withoutRecording {
      KahnemanTversky.divergence(
        policy: replica.model.answerLogProbabilities(mismatched, mismatched.pass()).values,
        reference: replica.reference.answerLogProbabilities(mismatched, mismatched.pass()).values)
    }
    let reference = replica.reference.answerLogProbabilities(own, own.pass())
    return self(
      policy: policy, reference: reference.values, lengths: own.answerLengths,
      isDesirable: batch.labels.map { $0 == 1 }, divergence: divergence)
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
