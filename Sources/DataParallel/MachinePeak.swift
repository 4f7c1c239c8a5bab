import MPI
import Tensors

extension DataParallel {
  /// The rate of matrix products that all workers of all ranks reach together, in operations per
  /// second: the best of a few products of 512×512 on every worker at once. Collective.
  public func measurePeak() throws -> Double {
    let rates = TallySlots(count: plan.threads)
    try pool.run { [self] thread in
      let size = 512
      let workspace = workers[thread].workspace
      var best = Double.infinity
      for _ in 0..<12 {
        var clock = Stopwatch()
        MatrixLibrary.trial(size: size, in: workspace)
        best = min(best, clock.lap())
      }
      rates[thread] = Tally(sum: 2 * Double(size * size * size) / best, count: 1)
    }
    let own = (0..<plan.threads).reduce(0) { $0 + rates[$1].sum }
    return try world.allReduce(own, .sum)
  }
}
