import DataParallel
import Layers
import MPI
import Tensors

/// The exchange of a gradient of 32 MiB between two ranks of one host without overlapping computation:
/// reduction to the owners and gathering of the sums, through shared memory and by messages, compared
/// with copying 32 MiB in each rank at the same time, as many bytes as it receives from the other, and
/// with the all-reduce of the MPI library.
enum ExchangeBenchmark {
  private static let (inputs, outputs) = (2048, 4096)
  private static let count = inputs * outputs
  private static let bytes = Double(count * MemoryLayout<Float>.stride)

  static func all(_ settings: Settings) -> [Benchmark] {
    let measurement = { (name: String, title: String, body: @escaping Body) in
      Measurement(
        name: "exchange.\(name)", title: "\(title), 32 MiB, 2 ranks", quantities: [.rate("GB/s")],
        source: .apus(ranks: 2) { world in ["rate": bytes / (try body(world)).median / 1e9] })
    }
    let workers = settings.workers
    return [
      Benchmark(
        name: "exchange", summary: "gradient exchange between two ranks",
        measurements: [
          measurement("shared", "exchange in shared memory") {
            try exchange(.exact, ranksPerHost: nil, workers, $0)
          },
          measurement("messages", "exchange by messages") {
            try exchange(.exact, ranksPerHost: 1, workers, $0)
          },
          measurement("fast", "exchange by messages in bf16") {
            try exchange(.fast, ranksPerHost: 1, workers, $0)
          },
          measurement("copy", "copy", copy),
          measurement("library", "all-reduce of the MPI library", allReduce),
        ],
        ratios: [
          Ratio(
            numerator: "exchange.shared", denominator: "exchange.copy", against: "copying"),
          Ratio(
            numerator: "exchange.shared", denominator: "exchange.messages",
            against: "messages"),
          Ratio(
            numerator: "exchange.shared", denominator: "exchange.library",
            against: "the library's all-reduce"),
        ])
    ]
  }

  private typealias Body = @Sendable (Communicator) throws -> [Double]

  /// The seconds of ten exchanges, after two to warm up, for a network of one matrix.
  private static func exchange(
    _ reduction: GradientReduction, ranksPerHost: Int?, _ workers: Int, _ world: Communicator
  ) throws -> [Double] {
    let build = { (parameters: Parameters) in
      Linear(parameters, inputs: inputs, outputs: outputs, bias: false, std: 0.02)
    }
    let cores = try Cores.assign(workers: min(workers, world.size), world)
    let replicas = try DataParallel(
      world: world, layout: ParameterLayout(of: build),
      plan: .init(
        microBatches: world.size, threads: cores.threads, cores: cores.cores,
        reduction: reduction, ranksPerHost: ranksPerHost), build: build)
    let seconds = try (0..<12).map { _ in
      let gradient = try replicas.gradient { linear, workspace, _ in
        linear(Tensor(repeating: 1, shape: [4, inputs], in: workspace)).sum()
      }
      try world.barrier()
      var clock = Stopwatch()
      try replicas.gatherParameters()
      return gradient.secondsExchange + clock.lap()
    }
    return Array(seconds.dropFirst(2))
  }

  /// The seconds of ten copies, after two to warm up.
  private static func copy(_ world: Communicator) throws -> [Double] {
    let (source, target) = (FlatBuffer(count: count), FlatBuffer(count: count))
    source.elements.update(repeating: 1)
    let seconds = try (0..<12).map { _ in
      try world.barrier()
      var clock = Stopwatch()
      _ = target.elements.update(fromContentsOf: source.elements)
      return clock.lap()
    }
    return Array(seconds.dropFirst(2))
  }

  /// The seconds of ten all-reduces, after two to warm up.
  private static func allReduce(_ world: Communicator) throws -> [Double] {
    let buffer = FlatBuffer(count: count)
    let seconds = try (0..<12).map { _ in
      try world.barrier()
      var clock = Stopwatch()
      try world.allReduce(inPlace: buffer.elements, .sum)
      return clock.lap()
    }
    return Array(seconds.dropFirst(2))
  }
}
