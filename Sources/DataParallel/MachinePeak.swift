import MPI
import Tensors

extension DataParallel {
  /// The rate of matrix products that all workers of all ranks reach together, in operations per
  /// second: the best of many products of 512×512 on every worker at once, for a fifth of a second,
  /// in which a core reaches its speed and a neighbour's load comes and goes.
  ///
  /// Collective.
  public func measurePeak() throws -> Double {
    let rates = TallySlots(count: plan.threads)
    try pool.run { [self] thread in
      let trial = MatrixTrial(size: 512, in: workers[thread].workspace)
      var best = Double.infinity
      var total = 0.0
      while total < 0.2 {
        var clock = Stopwatch()
        trial.run()
        let seconds = clock.lap()
        best = min(best, seconds)
        total += seconds
      }
      rates[thread] = Tally(sum: trial.operations / best, count: 1)
    }
    let own = (0..<plan.threads).reduce(0) { $0 + rates[$1].sum }
    return try world.allReduce(own, .sum)
  }
}
