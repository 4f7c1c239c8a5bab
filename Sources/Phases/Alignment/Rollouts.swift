import Datasets
import Generation
import Objectives
import Tokenizers

/// The completions of one rollout iteration with their scores and advantages.
///
/// Equal on all ranks. A rollout is the prompt, followed by the tokens of the completion.
/// Arrays have one element per token of the completion.
package struct Rollouts: Sendable {
  /// A prompt and its completion.
  package struct Rollout: Sendable {
    /// The index of the prompt in the set.
    let promptIndex: Int
    let prompt: [TokenID]
    let completion: Completion
    /// log p of the tokens under the policy in a training forward pass, before the first update.
    var oldLogProbabilities: [Float] = []
    /// log p of the tokens under the reference model.
    var referenceLogProbabilities: [Float] = []
    /// The values before the first update; 0 without a value head.
    var values: [Float] = []
    /// The reward, without the KL penalty.
    var reward = 0.0
    /// True when a part of the reward failed and counts as 0.
    var lacksReward = false
    var advantages: [Float] = []
    /// The targets of the value head.
    var returns: [Float] = []

    /// The number of its positions in a batch: its last token is only a target.
    var positions: Int { prompt.count + completion.tokens.count - 1 }

    /// Gives every token of the completion the same advantage.
    mutating func setAdvantage(_ value: Float) {
      advantages = completion.tokens.map { _ in value }
    }

    /// The estimated KL divergence of the policy from the reference model on the completion, nats.
    var kl: Double {
      zip(oldLogProbabilities, referenceLogProbabilities).reduce(0) {
        $0 + Double($1.0) - Double($1.1)
      }
    }

    /// The largest difference between a token's log-probabilities in sampling and in training.
    var samplingDifference: Double {
      zip(oldLogProbabilities, completion.logProbabilities).reduce(0) {
        max($0, abs(Double($1.0) - Double($1.1)))
      }
    }
  }

  var all: [Rollout]
  /// Rollouts of a micro-batch.
  let rows: Int
  private let padding: TokenID

  init(_ all: [Rollout], rows: Int, padding: TokenID) {
    self.all = all
    self.rows = rows
    self.padding = padding
  }

  /// The number of micro-batches.
  var microBatches: Int { (all.count + rows - 1) / rows }

  /// Returns the indices of the rollouts of micro-batch `index`.
  func range(of index: Int) -> Range<Int> { index * rows..<min(all.count, (index + 1) * rows) }

  /// Returns micro-batch `index`, with the tokens of the completions in the loss mask.
  func batch(_ index: Int) -> Batch {
    var batch = Batch()
    let own = all[range(of: index)]
    batch.begin(
      texts: own.map { ($0.prompt + $0.completion.tokens).dropLast() }, padding: padding)
    for (places, rollout) in zip(positions(index), own) {
      batch.targets.replaceSubrange(places, with: rollout.completion.tokens)
      for place in places { batch.weights[place] = 1 }
    }
    return batch
  }

  /// Returns per-token values of the completions of micro-batch `index` at the positions of its
  /// batch; 0 elsewhere.
  func valuesByPosition(_ index: Int, _ values: (Rollout) -> [Float]) -> [Float] {
    let count = all[range(of: index)].reduce(0) { $0 + $1.positions }
    var result = [Float](repeating: 0, count: Batch.roundedLength(count))
    for (range, rollout) in zip(positions(index), all[range(of: index)]) {
      for (position, value) in zip(range, values(rollout)) { result[position] = value }
    }
    return result
  }

  /// Returns the positions of the completions' tokens in micro-batch `index`, one completion after
  /// another.
  func positions(_ index: Int) -> [Range<Int>] {
    var end = 0
    return all[range(of: index)].map { rollout in
      end += rollout.positions
      return end - rollout.completion.tokens.count..<end
    }
  }
}
