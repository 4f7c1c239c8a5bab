import DataParallel

/// Threads that measure at the same time.
enum Threads {
  /// What `threads` threads do a second together: the sum of their medians over ten samples.
  ///
  /// - Parameters:
  ///   - amount: What one sample does.
  ///   - prepare: Makes, on its thread, the work of one sample.
  static func rate(
    threads: Int, amount: Double, _ prepare: @escaping @Sendable (_ thread: Int) -> () -> Void
  ) throws -> Double {
    let pool = try WorkerPool(count: threads)
    defer { pool.stop() }
    let rates = TallySlots(count: threads)
    try pool.run { thread in
      let sample = prepare(thread)
      sample()
      var own: [Double] = []
      for _ in 0..<10 {
        var clock = Stopwatch()
        sample()
        own.append(amount / clock.lap())
      }
      rates[thread] = Tally(sum: own.median, count: 1)
    }
    return (0..<threads).reduce(0) { $0 + rates[$1].sum }
  }
}
