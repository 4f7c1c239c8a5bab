import Tensors

/// GEMM of 768×768 matrices on one thread and on all threads at once: the peak rate of products.
enum ProductBenchmark {
  static func all(_ settings: Settings) -> [Benchmark] {
    let counts = settings.workers == 1 ? [1] : [1, settings.workers]
    return [
      Benchmark(
        name: "product", summary: "GEMM, peak of one thread and of all",
        measurements: Precision.allCases.flatMap { precision in
          counts.map { count in
            Measurement(
              name: "product.\(precision).\(count)",
              title: "product 768³, \(precision), \(count) thread\(count == 1 ? "" : "s")",
              quantities: [.rate("GFLOP/s")],
              source: .apus(ranks: 1) { _ in
                ["rate": try rate(precision, threads: count) / 1e9]
              })
          }
        })
    ]
  }

  /// FLOP/s, in samples of about a tenth of a second.
  private static func rate(_ precision: Precision, threads: Int) throws -> Double {
    let operations = 20 * 2 * 768.0 * 768 * 768
    return try Throughput.rate(threads: threads, amount: operations) { _ in
      let workspace = Workspace(precision: precision)
      let benchmark = GEMMBenchmark(size: 768, in: workspace)
      return { withExtendedLifetime(workspace) { for _ in 0..<20 { benchmark.run() } } }
    }
  }
}
