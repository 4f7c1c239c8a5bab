import DataParallel
import Layers
import MPI
import Tensors

/// The exchange of a gradient of 64 MiB between two ranks without overlapping computation:
/// reduction to the owners and gathering of the sums, exact and fast, compared with the all-reduce
/// of the MPI library.
enum ExchangeBenchmark {
  private static let width = 4096
  private static let bytes = Double(width * width * MemoryLayout<Float>.stride)

  static func all(_ settings: Settings) -> [Benchmark] {
    let measurement = { (name: String, title: String, body: @escaping Body) in
      Measurement(
        name: "exchange.\(name)", title: "\(title), 64 MiB, 2 ranks", quantities: [.rate("GB/s")],
        source: .apus(ranks: 2) { world in ["rate": bytes / (try body(world)).median / 1e9] })
    }
    let workers = settings.workers
    return [
      Benchmark(
        name: "exchange", summary: "gradient exchange between two ranks",
        measurements: [
          measurement("exact", "exchange, exact") { try exchange(.exact, workers, $0) },
          measurement("fast", "exchange, fast") { try exchange(.fast, workers, $0) },
          measurement("library", "all-reduce of the MPI library", allReduce),
        ],
        ratios: [
          Ratio(
            numerator: "exchange.exact", denominator: "exchange.library",
            against: "the library's all-reduce"),
          Ratio(
            numerator: "exchange.fast", denominator: "exchange.library",
            against: "the library's all-reduce"),
        ])
    ]
  }

  private typealias Body = @Sendable (Communicator) throws -> [Double]

  /// The seconds of ten exchanges, after two to warm up, for a network of one matrix.
  private static func exchange(
    _ reduction: GradientReduction, _ workers: Int, _ world: Communicator
  ) throws -> [Double] {
    let build = { (parameters: Parameters) in
      Linear(parameters, inputs: width, outputs: width, bias: false, std: 0.02)
    }
    let cores = try Cores.assign(workers: min(workers, world.size), world)
    let replicas = try DataParallel(
      world: world, layout: ParameterLayout(of: build),
      plan: .init(
        microBatches: world.size, threads: cores.threads, cores: cores.cores,
        reduction: reduction), build: build)
    let seconds = try (0..<12).map { _ in
      let gradient = try replicas.gradient { linear, workspace, _ in
        linear(Tensor(repeating: 1, shape: [4, width], in: workspace)).sum()
      }
      try world.barrier()
      var clock = Stopwatch()
      try replicas.gatherParameters()
      return gradient.secondsExchange + clock.lap()
    }
    return Array(seconds.dropFirst(2))
  }

  /// The seconds of ten all-reduces, after two to warm up.
  private static func allReduce(_ world: Communicator) throws -> [Double] {
    let buffer = FlatBuffer(count: width * width)
    let seconds = try (0..<12).map { _ in
      try world.barrier()
      var clock = Stopwatch()
      try world.allReduce(inPlace: buffer.elements, .sum)
      return clock.lap()
    }
    return Array(seconds.dropFirst(2))
  }
}
