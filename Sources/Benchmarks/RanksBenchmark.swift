import DataParallel
import Tensors

/// Ranks against threads on the same cores, in the precision of `auto`; and exact against fast
/// reduction between ranks, in fp32.
enum RanksBenchmark {
  static func all(_ settings: Settings) -> [Benchmark] {
    // A comparison needs at least two ranks of one thread.
    let workers = max(2, settings.workers / 2 * 2)
    return [TrainedModel.shakespeare, .gpt2].flatMap {
      [ranks($0, workers), reductions($0, workers)]
    }
  }

  private static func ranks(_ model: TrainedModel, _ workers: Int) -> Benchmark {
    let name = "ranks.\(model.name)"
    let precision = MatrixLibrary.bf16IsFaster ? Precision.bf16 : .fp32
    return Benchmark(
      name: name, summary: "ranks × threads, \(model.title)",
      measurements: [
        measurement("\(name).threads", model, nil, ranks: 1, .exact, workers),
        measurement("\(name).exact", model, nil, ranks: 2, .exact, workers),
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
          numerator: "\(name).exact", denominator: "\(name).torch", against: "PyTorch DDP"),
      ])
  }

  private static func reductions(_ model: TrainedModel, _ workers: Int) -> Benchmark {
    let name = "reduction.\(model.name)"
    return Benchmark(
      name: name, summary: "exact against fast, \(model.title), fp32",
      measurements: [
        measurement("\(name).exact", model, .fp32, ranks: 2, .exact, workers),
        measurement("\(name).fast", model, .fp32, ranks: 2, .fast, workers),
      ],
      ratios: [Ratio(numerator: "\(name).exact", denominator: "\(name).fast", against: "fast")])
  }

  private static func measurement(
    _ name: String, _ model: TrainedModel, _ precision: Precision?, ranks: Int,
    _ reduction: GradientReduction, _ workers: Int
  ) -> Measurement {
    let threads = workers / ranks
    let world = "\(ranks) rank\(ranks == 1 ? "" : "s")"
    let kind =
      precision.map { "\(reduction), \(world), \($0)" }
      ?? "\(world) × \(threads) thread\(threads == 1 ? "" : "s")"
    return Measurement(
      name: name, title: "\(kind), \(model.title)",
      quantities: [.rate("tokens/s"), .memory],
      source: .apus(ranks: ranks) {
        try TrainedSteps(model, precision, reduction, workers: workers).measure($0)
      })
  }
}
