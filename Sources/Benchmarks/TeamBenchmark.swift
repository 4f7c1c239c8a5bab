/// One micro-batch on a team of two threads against two micro-batches of half its size on two
/// workers: 4×256 tokens per step in both, in bf16.
enum TeamBenchmark {
  static func all(_ settings: Settings) -> [Benchmark] {
    let model = TrainedModel.gpt2
    let measurement = { (name: String, title: String, microBatches: Int) in
      Measurement(
        name: name, title: "\(title), \(model.title)", quantities: [.rate("tokens/s"), .memory],
        source: .apus(ranks: 1) {
          try TrainedSteps(model, .bf16, .exact, workers: 2, microBatches: microBatches).measure($0)
        })
    }
    return [
      Benchmark(
        name: "team", summary: "a team of two against two workers, \(model.title)",
        measurements: [
          measurement("team", "1 micro-batch, team of 2", 1),
          measurement("team.workers", "2 micro-batches", 2),
        ],
        ratios: [
          Ratio(
            numerator: "team", denominator: "team.workers", against: "2 micro-batches on 2 workers")
        ])
    ]
  }
}
