import MPI
import Tensors

extension DataParallel {
  /// The rates that the threads of this rank reach together while those of the other ranks of `host`
  /// do the same: matrix products of 512×512 in operations, and memory in bytes per second
  /// (y ← a + b on arrays larger than most caches, 12 bytes an element).
  ///
  /// Collective over `host`.
  public func measurePeaks(beside host: Communicator) throws -> (products: Double, memory: Double) {
    try host.barrier()
    let products = try rate(seconds: 0.5) { workspace in
      let trial = MatrixTrial(size: 512, in: workspace)
      return (trial.operations, trial.run)
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

  /// The amount of work a second of all threads together, at each team's best.
  ///
  /// - Parameter work: Makes, in a workspace of its own, what one thread does again and again: the
  ///   threads of a team have nothing in common here, since one product may be too small for all.
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
