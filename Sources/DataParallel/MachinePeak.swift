import MPI
import Tensors

extension DataParallel {
  /// Measures the peak rates of all threads of this rank together, while the other ranks of `host`
  /// measure too: matrix products of 512×512 in FLOP/s, and memory in bytes/s (y ← a + b on arrays
  /// larger than most caches, 12 bytes per element).
  ///
  /// Collective over `host`.
  package func measurePeaks(
    beside host: Communicator
  ) throws -> (products: Double, memory: Double) {
    try host.barrier()
    let products = try rate(seconds: 0.5) { workspace in
      let benchmark = GEMMBenchmark(size: 512, in: workspace)
      return (benchmark.operations, benchmark.run)
    }
    try host.barrier()
    let memory = try rate(seconds: 0.5) { workspace in
      let count = 8 << 20
      let a = Tensor(repeating: 1, shape: [count], in: workspace)
      let b = Tensor(repeating: 2, shape: [count], in: workspace)
      return (12 * Double(count), { _ = a + b })
    }
    return (products, memory)
  }

  /// Returns the amount of work per second of all threads together, from the fastest run of each
  /// team.
  ///
  /// - Parameters:
  ///   - seconds: The shortest duration of the measurement.
  ///   - work: Prepares the work that one thread repeats, in a workspace of its own, and its
  ///     amount. The threads of a team do not share it, since one product may be too small for all
  ///     of them.
  func rate(
    seconds: Double,
    _ work: @escaping @Sendable (Workspace) -> (amount: Double, run: () -> Void)
  ) throws -> Double {
    let rates = TallySlots(count: plan.threads)
    try pool.run { [self] thread in
      let own = (0..<plan.team).map { _ in Workspace(precision: plan.precision) }
      let shares = own.map(work)
      let amount = shares.reduce(0) { $0 + $1.amount }
      var best = Double.infinity
      var total = 0.0
      while total < seconds {
        var clock = Stopwatch()
        workers[thread].workspace.forEach(shares.count) { index, _ in shares[index].run() }
        let lap = clock.lap()
        best = min(best, lap)
        total += lap
      }
      withExtendedLifetime(own) { rates[thread] = Tally(sum: amount / best, count: 1) }
    }
    return (0..<plan.threads).reduce(0) { $0 + rates[$1].sum }
  }
}
