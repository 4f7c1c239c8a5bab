import DataParallel
import Tensors

/// fp32 matrix products, on one worker and on all at once.
enum ProductBenchmark {
  static func run(threads: Int, runs: Int) throws -> [Measurement] {
    try [1, threads].map { count in
      let pool = try WorkerPool(count: count)
      defer { pool.stop() }
      var rates: [Double] = []
      for _ in 0...runs {
        var clock = Stopwatch()
        try pool.run { _ in
          let workspace = Workspace()
          let trial = MatrixTrial(size: 768, in: workspace)
          for _ in 0..<30 { trial.run() }
        }
        let operations = 30 * 2 * 768.0 * 768 * 768
        rates.append(Double(count) * operations / clock.lap() / 1e9)
      }
      return Measurement(
        "fp32 product 768³, \(count) worker\(count == 1 ? "" : "s")", unit: "GFLOP/s",
        Array(rates.dropFirst()))
    }
  }
}
