import DataParallel
import MPI
import Objectives

/// The figures of the inner steps of a DiLoCo round, which the ranks exchange at its end.
///
/// A rank has those of its workers, step after step; ranks of a group have the same ones. On the wire
/// they are doubles: loss, its count, tokens, gradient norm and, if any, the measures. The checksums of
/// the weights follow in a message of their own where groups have several ranks.
struct RoundRecord {
  /// The figures of an inner step of a worker.
  struct Step: Equatable {
    var loss = Tally()
    var tokens = 0.0
    var gradientNorm = 0.0
    var measures: [Double] = []

    /// The figures of the same step of all workers, added in their order; the norm is the mean.
    init(over workers: [Step]) {
      loss = workers.map(\.loss).total
      tokens = workers.reduce(0) { $0 + $1.tokens }
      gradientNorm = workers.reduce(0) { $0 + $1.gradientNorm } / Double(workers.count)
      measures = workers.dropFirst().reduce(workers.first?.measures ?? []) { sum, worker in
        sum.isEmpty ? [] : (Measures(numbers: sum) + Measures(numbers: worker.measures)).numbers
      }
    }

    init(loss: Tally, tokens: Double, gradientNorm: Double, measures: [Double]) {
      (self.loss, self.tokens) = (loss, tokens)
      (self.gradientNorm, self.measures) = (gradientNorm, measures)
    }

    fileprivate init(_ numbers: ArraySlice<Double>) {
      let numbers = Array(numbers)
      loss = Tally(sum: numbers[0], count: numbers[1])
      (tokens, gradientNorm, measures) = (numbers[2], numbers[3], Array(numbers[4...]))
    }

    fileprivate var numbers: [Double] { [loss.sum, loss.count, tokens, gradientNorm] + measures }
  }

  /// The steps of each worker of this rank.
  private var steps: [[Step]]
  /// The checksums of the weights that these steps read.
  private var checksums: [Int] = []

  /// - Parameter workers: The number of workers of this rank.
  init(workers: Int) { steps = Array(repeating: [], count: workers) }

  /// Appends the next step of a worker of this rank.
  mutating func append(_ step: Step, checksum: UInt64, ofWorker place: Int) {
    steps[place].append(step)
    checksums.append(Int(bitPattern: UInt(checksum)))
  }

  /// Returns the steps of all workers, over the workers, in the order of the steps.
  ///
  /// Collective over all ranks.
  ///
  /// - Parameter first: The number of the first step, from 1.
  /// - Throws: `CorruptedWeights`, on every rank, when ranks of one group had different weights.
  func exchanged(
    over world: Communicator, _ groups: WorkerGroups, first: Int
  ) throws -> [Step] {
    let own = steps.joined().flatMap(\.numbers)
    let all = try world.allGather(own)
    let (count, numbers) = (steps[0].count, steps[0].first?.numbers.count ?? 0)
    if groups.ranksPerGroup > 1 {
      let sums = try world.allGather(checksums.map(Int64.init))
      for index in 0..<count {
        for group in 0..<groups.count {
          let ranks = groups.ranks(ofGroup: group)
          for place in steps.indices {
            let element = place * count + index
            try world.requireEqualWeights(
              ranks.map { Int(sums[$0 * checksums.count + element]) }, of: ranks,
              step: first + index)
          }
        }
      }
    }
    return (0..<count).map { index in
      Step(
        over: (0..<groups.count).flatMap { group in
          let rank = groups.ranks(ofGroup: group).lowerBound
          return steps.indices.map { place in
            let start = rank * own.count + (place * count + index) * numbers
            return Step(all[start..<start + numbers])
          }
        })
    }
  }
}
