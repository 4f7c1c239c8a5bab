import Tensors

/// The memory cost of a long context: one sequence of 4,096 tokens against four of 1,024, with
/// equal tokens per step, in one micro-batch of the same model.
///
/// The models differ in the position embeddings: 3,072 rows of 384 more. With gradient, moments and
/// bf16 copy (18 bytes per parameter), they are 20 MiB of the difference.
enum ContextBenchmark {
  static func all(_ settings: Settings) -> [Benchmark] {
    Precision.allCases.map { benchmark($0, settings.workers) }
  }

  private static func benchmark(_ precision: Precision, _ workers: Int) -> Benchmark {
    let name = "context.\(precision)"
    let measurement = { (suffix: String, model: TrainedModel) in
      Measurement(
        name: name + suffix, title: "\(model.title), \(precision)",
        quantities: [.rate("tokens/s"), .memory],
        source: .apus(ranks: 1) {
          try TrainedSteps(model, precision, .exact, workers: workers, microBatches: 1).measure($0)
        })
    }
    return Benchmark(
      name: name, summary: "memory of a long context, \(precision)",
      measurements: [measurement("", .longContext), measurement(".short", .shortContext)],
      ratios: [
        Ratio(
          numerator: name, denominator: "\(name).short",
          against: "4×1024 tokens", quantity: .memory)
      ])
  }
}
