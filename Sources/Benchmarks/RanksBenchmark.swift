import DataParallel
import Tensors

/// Ranks against threads on the same cores, exact against fast, in the precision that `auto` takes.
enum RanksBenchmark {
  static func all(_ settings: Settings) -> [Benchmark] {
    // Two ranks of one thread are the least there is to compare.
    let workers = max(2, settings.workers / 2 * 2)
    return [TrainedModel.shakespeare, .gpt2].map { benchmark($0, workers) }
  }

  private static func benchmark(_ model: TrainedModel, _ workers: Int) -> Benchmark {
    let name = "ranks.\(model.name)"
    func measurement(_ suffix: String, ranks: Int, _ reduction: GradientReduction) -> Measurement {
      Measurement(
        name: "\(name).\(suffix)",
        title: "\(ranks)×\(workers / ranks), \(reduction), \(model.title)",
        quantities: [.rate("tokens/s"), .memory],
        source: .apus(ranks: ranks) {
          try TrainedSteps(model, nil, reduction, workers: workers).measure($0)
        })
    }
    let precision = MatrixLibrary.hasHalfProducts ? Precision.bf16 : .fp32
    return Benchmark(
      name: name, summary: "ranks × threads and exact against fast, \(model.title)",
      measurements: [
        measurement("threads", ranks: 1, .exact),
        measurement("exact", ranks: 2, .exact),
        measurement("fast", ranks: 2, .fast),
        Measurement(
          name: "\(name).torch", title: "  PyTorch DDP, 2 ranks",
          quantities: [.rate("tokens/s"), .memory],
          source: .peer(model.torch(precision, ranks: 2, threads: workers / 2))),
      ],
      ratios: [
        Ratio(
          numerator: "\(name).exact", denominator: "\(name).threads",
          against: "1 rank × \(workers) threads"),
        Ratio(
          numerator: "\(name).fast", denominator: "\(name).threads",
          against: "1 rank × \(workers) threads"),
        Ratio(
          numerator: "\(name).exact", denominator: "\(name).torch", against: "PyTorch DDP"),
      ])
  }
}
