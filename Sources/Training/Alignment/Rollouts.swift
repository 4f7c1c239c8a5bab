import Datasets
import Generation
import Objectives
import Tokenizers

/// The answers of one iteration with everything that is learned from them.
///
/// Equal on all ranks. A rollout is a row: the prompt, and behind it the answer's tokens. What is kept
/// of a token is in the order of the answer.
struct Rollouts: Sendable {
  /// One answer.
  struct Rollout: Sendable {
    /// Number of its prompt in the set.
    let prompt: Int
    /// The prompt's ids.
    let question: [TokenID]
    /// What the policy wrote.
    let answer: Answer
    /// log p of the answer's tokens in the training forward pass, before the first update.
    var old: [Float] = []
    /// The same under the model that the run began with.
    var reference: [Float] = []
    /// The value head's results before the first update; empty without one.
    var values: [Float] = []
    /// The reward, without the KL penalty.
    var reward = 0.0
    /// Whether a part of the reward could not be had, and counts as 0.
    var lacksReward = false
    /// Of each token.
    var advantages: [Float] = []
    /// What the value head should say.
    var returns: [Float] = []

    /// KL of the policy from the start over the answer, nats.
    var kl: Double {
      zip(old, reference).reduce(0) { $0 + Double($1.0) - Double($1.1) }
    }

    /// The largest difference of a token's log-probability between sampling and training.
    var samplingDifference: Double {
      zip(old, answer.logProbabilities).reduce(0) { max($0, abs(Double($1.0) - Double($1.1))) }
    }
  }

  /// All of them.
  var all: [Rollout]
  /// Rows of a micro-batch.
  let rows: Int
  /// Positions of a row: those of the longest rollout.
  let context: Int
  private let padding: TokenID

  init(_ all: [Rollout], rows: Int, padding: TokenID) {
    self.all = all
    self.rows = rows
    self.padding = padding
    context = all.map { $0.question.count + $0.answer.tokens.count - 1 }.max() ?? 1
  }

  /// How many micro-batches they are.
  var microBatches: Int { (all.count + rows - 1) / rows }

  /// The rollouts of micro-batch `index`.
  func range(of index: Int) -> Range<Int> { index * rows..<min(all.count, (index + 1) * rows) }

  /// Micro-batch `index`: the answers' tokens are targets of weight 1.
  ///
  /// The same rows whenever it is asked for, so that a forward pass gives the same bits.
  func batch(_ index: Int) -> Batch {
    var batch = Batch(sequences: rows, context: context)
    for row in 0..<rows {
      // Rows beyond the last rollout are padding, in an evaluation.
      let place = index * rows + row
      let rollout = place < all.count ? all[place] : nil
      let ids = rollout.map { $0.question + $0.answer.tokens } ?? []
      for place in 0..<context {
        let i = row * context + place
        batch.inputs[i] = place < ids.count ? ids[place] : padding
        batch.targets[i] = place + 1 < ids.count ? ids[place + 1] : padding
        let isAnswer = place + 1 >= rollout?.question.count ?? 0 && place + 1 < ids.count
        batch.weights[i] = isAnswer ? 1 : 0
      }
    }
    return batch
  }

  /// Numbers of the answers' tokens in micro-batch `index` at the positions of its batch; 0 elsewhere.
  func positions(_ index: Int, _ numbers: (Rollout) -> [Float]) -> [Float] {
    var result = [Float](repeating: 0, count: rows * context)
    for (row, rollout) in all[range(of: index)].enumerated() {
      let first = row * context + rollout.question.count - 1
      for (place, number) in numbers(rollout).enumerated() { result[first + place] = number }
    }
    return result
  }

  /// The answers' tokens among the numbers of all positions of micro-batch `index`, row by row.
  func answers(_ index: Int, in numbers: [Float]) -> [[Float]] {
    all[range(of: index)].enumerated().map { row, rollout in
      let first = row * context + rollout.question.count - 1
      return Array(numbers[first..<first + rollout.answer.tokens.count])
    }
  }
}
