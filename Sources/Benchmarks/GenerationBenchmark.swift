import DataParallel
import Generation
import Models
import Monitoring
import Tensors

/// Generation with GPT-2 124M and random weights: 64 new tokens after a prompt of 16.
enum GenerationBenchmark {
  private static let newTokens = 64
  private static let promptLength = 16

  static func all(_ settings: Settings) -> [Benchmark] {
    Precision.allCases.flatMap { precision in
      [1, 8, 32].map { benchmark(precision, batch: $0, threads: settings.workers) }
    }
  }

  private static func benchmark(_ precision: Precision, batch: Int, threads: Int) -> Benchmark {
    let name = "generate.\(precision).\(batch)"
    var benchmark = Benchmark(
      name: name, summary: "generation, GPT-2 124M, batch \(batch), \(precision)",
      measurements: [
        Measurement(
          name: name, title: "generation, GPT-2 124M, batch \(batch), \(precision)",
          quantities: [.rate("tokens/s"), .memory],
          source: .apus(ranks: 1) { _ in
            try generate(precision, batch: batch, threads: threads)
          }),
        Measurement(
          name: "\(name).transformers", title: "  Hugging Face transformers",
          quantities: [.rate("tokens/s"), .memory],
          source: .peer(
            Peer(
              script: "generate_gpt2", package: "transformers",
              arguments: [
                "--batch", "\(batch)", "--prompt", "\(promptLength)", "--tokens", "\(newTokens)",
                "--dtype", "\(precision)", "--threads", "\(threads)",
              ]))),
      ],
      ratios: [
        Ratio(
          numerator: name, denominator: "\(name).transformers", against: "transformers")
      ])
    if batch == 1 {
      benchmark.measurements.insert(
        Measurement(
          name: "\(name).bound", title: "  bound: reading the weights",
          quantities: [.rate("tokens/s")],
          source: .apus(ranks: 1) { _ in
            ["rate": 1 / (try secondsToReadWeights(precision, threads: threads))]
          }), at: 1)
      benchmark.ratios.append(
        Ratio(
          numerator: name, denominator: "\(name).bound",
          against: "reading the weights for every token", isOfLimit: true))
    }
    return benchmark
  }

  private static func configuration() throws -> GPT2Configuration {
    try GPT2Configuration(
      vocabulary: 50257, context: 1024, layers: 12, heads: 12, width: 768, hidden: nil, dropout: 0,
      tied: true, endOfText: 50256)
  }

  private static func secondsToReadWeights(_ precision: Precision, threads: Int) throws -> Double {
    let bytes = try configuration().layout.count * (precision == .bf16 ? 2 : 4)
    return try ReadMemory(bytes: bytes, threads: threads).secondsToRead()
  }

  /// Measures new tokens per second after a short run to warm up; all threads work as one team.
  private static func generate(_ precision: Precision, batch: Int, threads: Int) throws -> Reading {
    let configuration = try configuration()
    let layout = configuration.layout
    let weights = FlatBuffer(count: layout.count)
    layout.initialize(weights.elements, seed: 1)
    let bf16Copy = precision == .bf16 ? BF16Buffer(count: layout.count) : nil
    bf16Copy?.round(weights, 0..<layout.count)
    let team = threads > 1 ? try ThreadTeam(size: threads) : nil
    defer { team?.stop() }
    let workspace = Workspace(precision: precision, team: team)
    let model = workspace.bind(layout, values: weights, bf16Copy: bf16Copy, configuration.build)
    let generator = Generator(model, configuration: configuration, in: workspace)
    var seconds = 0.0
    for new in [4, newTokens] {
      var clock = Stopwatch()
      let rows = generator(
        .init(
          prompt: (1...Int32(promptLength)).map { 100 * $0 }, sequences: 0..<batch, maximum: new,
          sampling: .greedy, ends: [], vocabulary: configuration.vocabulary, seed: 1))
      precondition(rows.allSatisfy { $0.count == new }, "a sequence ended early")
      seconds = clock.lap()
    }
    return [
      "rate": Double(batch * newTokens) / seconds,
      "memory": Double(ProcessMemory.peak() ?? 0) / 1_048_576,
    ]
  }
}
