import DataParallel
import Objectives

/// The losses, tokens and measures of the micro-batches of a step, filled by the workers and
/// summed over all ranks.
final class StepTallies: Sendable {
  private let slots: TallySlots
  private let microBatches: Int
  /// Tallies of a micro-batch: its loss, its tokens, then its measures, a sum and a count each.
  private let talliesEach: Int

  init(microBatches: Int, hasMeasures: Bool) {
    self.microBatches = microBatches
    talliesEach = 2 + (hasMeasures ? Measures.numberCount / 2 : 0)
    slots = TallySlots(count: microBatches * talliesEach)
  }

  /// Stores the result of a micro-batch.
  func set(_ microBatch: Int, to result: MicroBatchLoss) {
    let first = microBatch * talliesEach
    slots[first] = Tally(sum: result.loss.total, count: result.loss.count)
    slots[first + 1] = Tally(sum: Double(result.tokens), count: 1)
    guard talliesEach > 2 else { return }
    let numbers = result.loss.measures.numbers
    for place in 0..<talliesEach - 2 {
      slots[first + 2 + place] = Tally(sum: numbers[2 * place], count: numbers[2 * place + 1])
    }
  }

  /// Returns the sums over all micro-batches of the group, added in their order.
  ///
  /// Collective.
  func totals<Replica>(over replicas: DataParallel<Replica>) throws -> StepTotals {
    let all = try slots.gathered(over: replicas.group) { replicas.owner(of: $0 / talliesEach) }
    let starts = stride(from: 0, to: all.count, by: talliesEach)
    var measures = Measures()
    if talliesEach > 2 {
      for start in starts {
        let numbers = all[start + 2..<start + talliesEach].flatMap { [$0.sum, $0.count] }
        measures = measures + Measures(numbers: numbers)
      }
    }
    return StepTotals(
      loss: starts.map { all[$0] }.total,
      tokens: starts.reduce(0) { $0 + all[$1 + 1].sum }, measures: measures)
  }
}

/// The loss, the number of tokens and the measures of a step.
struct StepTotals {
  let loss: Tally
  let tokens: Double
  let measures: Measures
}
