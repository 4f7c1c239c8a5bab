/// All benchmarks in the order in which they run: first the machine, then Apus.
enum Catalogue {
  static func benchmarks(_ settings: Settings) -> [Benchmark] {
    ProductBenchmark.all(settings) + MemoryBenchmark.all(settings)
      + AttentionBenchmark.all(settings) + ExchangeBenchmark.all(settings)
      + StepBenchmark.all(settings) + RanksBenchmark.all(settings) + TeamBenchmark.all(settings)
      + ContextBenchmark.all(settings) + GenerationBenchmark.all(settings)
      + TokenizerBenchmark.all(settings)
  }

  /// The benchmarks that match one of `selections`, or all if there are none.
  ///
  /// - Throws: `Refusal` with code 64 for a selection that matches no benchmark.
  static func benchmarks(_ settings: Settings, only selections: [String]) throws -> [Benchmark] {
    let all = benchmarks(settings)
    for selection in selections where !all.contains(where: { $0.matches(selection) }) {
      throw Refusal(
        "--only \(selection) matches no benchmark: choose among "
          + "\(all.map(\.name).joined(separator: ", ")).", code: 64)
    }
    return all.filter { benchmark in
      selections.isEmpty || selections.contains { benchmark.matches($0) }
    }
  }
}
