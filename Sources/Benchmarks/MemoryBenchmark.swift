import DataParallel
import Tensors

/// Memory bandwidth of y ← a + b on arrays far larger than the caches: 12 bytes an element.
enum MemoryBenchmark {
  static func run(threads: Int, runs: Int) throws -> [Measurement] {
    let pool = try WorkerPool(count: threads)
    defer { pool.stop() }
    let count = 16 << 20
    let rates = Rates(threads)
    try pool.run { thread in
      let workspace = Workspace()
      let a = Tensor(repeating: 1, shape: [count], in: workspace)
      let b = Tensor(repeating: 2, shape: [count], in: workspace)
      for run in 0...runs {
        var clock = Stopwatch()
        _ = a + b
        if run > 0 { rates.values[thread].append(12 * Double(count) / clock.lap() / 1e9) }
      }
    }
    let totals = (0..<runs).map { run in rates.values.reduce(0) { $0 + $1[run] } }
    return [Measurement("memory, a + b on \(threads) workers", unit: "GB/s", totals)]
  }

  private final class Rates: @unchecked Sendable {
    // Sendable: every thread appends to its own element; the array itself does not change.
    let values: UnsafeMutableBufferPointer<[Double]>

    init(_ count: Int) {
      values = .allocate(capacity: count)
      values.initialize(repeating: [])
    }

    deinit {
      values.deinitialize()
      values.deallocate()
    }
  }
}
