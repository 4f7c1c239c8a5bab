import DataParallel
import Objectives

/// What the micro-batches of a step came to, filled by the workers, added over all ranks.
final class StepTallies: Sendable {
  private let slots: TallySlots
  private let microBatches: Int
  /// Tallies of a micro-batch: its loss, its positions, then its measures, a sum and a count each.
  private let each: Int

  init(microBatches: Int, measures: Bool) {
    self.microBatches = microBatches
    each = 2 + (measures ? Measures.numberCount / 2 : 0)
    slots = TallySlots(count: microBatches * each)
  }

  /// Notes the result of a micro-batch.
  func set(_ microBatch: Int, to result: MicroBatchLoss) {
    let first = microBatch * each
    slots[first] = Tally(sum: result.loss.total, count: result.loss.count)
    slots[first + 1] = Tally(sum: Double(result.positions), count: 1)
    guard each > 2 else { return }
    let numbers = result.loss.measures.numbers
    for place in 0..<each - 2 {
      slots[first + 2 + place] = Tally(sum: numbers[2 * place], count: numbers[2 * place + 1])
    }
  }

  /// Everything added in the order of the micro-batches.
  ///
  /// Collective.
  func totals<Replica>(over replicas: DataParallel<Replica>) throws -> (
    loss: Tally, positions: Double, measures: Measures
  ) {
    let all = try slots.gathered(over: replicas.world) { replicas.owner(of: $0 / each) }
    let starts = stride(from: 0, to: all.count, by: each)
    var measures = Measures()
    if each > 2 {
      for start in starts {
        let numbers = all[start + 2..<start + each].flatMap { [$0.sum, $0.count] }
        measures = measures + Measures(numbers: numbers)
      }
    }
    return (
      starts.map { all[$0] }.total, starts.reduce(0) { $0 + all[$1 + 1].sum }, measures
    )
  }
}
