import MPI
import Tensors

extension DataParallel {
  /// The rate of matrix products that all workers of all ranks reach together, in operations per
  /// second: the best of many products of 512×512 on every worker at once, for a fifth of a second,
  /// in which a core reaches its speed and a neighbour's load comes and goes.
  ///
  /// Collective.
  public func measurePeak() throws -> Double {
    try world.allReduce(measureProducts(seconds: 0.2), .sum)
  }

  /// The rates that the workers of this rank reach together while those of all others do the same:
  /// matrix products in operations, and memory in bytes per second (y ← a + b on arrays larger than
  /// most caches, 12 bytes an element).
  ///
  /// Collective.
  public func measurePeaks() throws -> (products: Double, memory: Double) {
    try world.barrier()
    let products = try measureProducts(seconds: 0.5)
    try world.barrier()
    let memory = try rate(seconds: 0.5) { thread in
      let workspace = Workspace()
      let count = 8 << 20
      let a = Tensor(repeating: 1, shape: [count], in: workspace)
      let b = Tensor(repeating: 2, shape: [count], in: workspace)
      return (12 * Double(count), { withExtendedLifetime(workspace) { _ = a + b } })
    }
    return (products, memory)
  }

  private func measureProducts(seconds: Double) throws -> Double {
    try rate(seconds: seconds) { [self] thread in
      let trial = MatrixTrial(size: 512, in: workers[thread].workspace)
      return (trial.operations, trial.run)
    }
  }

  /// The amount of work a second of all workers together, at each one's best.
  private func rate(
    seconds: Double,
    _ work: @escaping @Sendable (_ thread: Int) -> (amount: Double, run: () -> Void)
  ) throws -> Double {
    let rates = TallySlots(count: plan.threads)
    try pool.run { thread in
      let (amount, run) = work(thread)
      var best = Double.infinity
      var total = 0.0
      while total < seconds {
        var clock = Stopwatch()
        run()
        let lap = clock.lap()
        best = min(best, lap)
        total += lap
      }
      rates[thread] = Tally(sum: amount / best, count: 1)
    }
    return (0..<plan.threads).reduce(0) { $0 + rates[$1].sum }
  }
}
