import DataParallel

/// Measurement on several threads at the same time.
enum Throughput {
  /// The rate of `threads` threads together: the sum of their medians over ten samples.
  ///
  /// - Parameters:
  ///   - amount: The amount of work in one sample; the rate is in its unit per second.
  ///   - prepare: Returns the work of one sample; it is called on the thread that runs it.
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
