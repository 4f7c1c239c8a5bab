/// All benchmarks, in the order they run: what the machine can do, then what Apus does with it.
enum Catalogue {
  static func benchmarks(_ settings: Settings) -> [Benchmark] {
    ProductBenchmark.all(settings) + MemoryBenchmark.all(settings)
      + AttentionBenchmark.all(settings) + ExchangeBenchmark.all(settings)
      + StepBenchmark.all(settings) + RanksBenchmark.all(settings) + TeamBenchmark.all(settings)
      + ContextBenchmark.all(settings) + GenerationBenchmark.all(settings)
      + TokenizerBenchmark.all(settings)
  }

  /// Those that `selections` name, or all.
  static func benchmarks(_ settings: Settings, only selections: [String]) throws -> [Benchmark] {
    let all = benchmarks(settings)
    for selection in selections where !all.contains(where: { $0.matches(selection) }) {
      throw Refusal(
        "--only \(selection) names no benchmark: choose among "
          + "\(all.map(\.name).joined(separator: ", ")).", code: 64)
    }
    return all.filter { benchmark in
      selections.isEmpty || selections.contains { benchmark.matches($0) }
    }
  }
}
