import DataParallel
import MPI
import Monitoring
import Tensors
import Phases
import Training

/// Whole training steps: forward, backward, exchange and update.
enum StepBenchmark {
  static func all(_ settings: Settings) -> [Benchmark] {
    TrainedModel.all.flatMap { model in
      Precision.allCases.map { benchmark(model, $0, settings.workers) }
    }
  }

  private static func benchmark(_ model: TrainedModel, _ precision: Precision, _ workers: Int)
    -> Benchmark
  {
    let name = "step.\(model.name).\(precision)"
    var benchmark = Benchmark(
      name: name, summary: "training step of \(model.title), \(precision)",
      measurements: [
        Measurement(
          name: name, title: "step, \(model.title), \(precision)",
          quantities: [.rate("tokens/s"), .memory],
          source: .apus(ranks: 1) {
            try TrainedSteps(
              model, precision, .exact, workers: workers, microBatches: model.isForTeam ? 1 : nil
            ).measure($0)
          }),
        Measurement(
          name: "\(name).torch", title: "  PyTorch", quantities: [.rate("tokens/s"), .memory],
          source: .peer(model.torch(precision, threads: workers))),
      ],
      ratios: [Ratio(numerator: name, denominator: "\(name).torch", against: "PyTorch")])
    if model.name == TrainedModel.gpt2.name {
      benchmark.measurements.insert(
        Measurement(
          name: "\(name).products", title: "  its matrix products alone",
          quantities: [.rate("tokens/s")],
          source: .apus(ranks: 1) { _ in
            try StepProducts.measure(model, precision, workers: workers)
          }), at: 1)
      benchmark.ratios += [
        Ratio(
          numerator: name, denominator: "\(name).torch", against: "PyTorch", quantity: .memory),
        Ratio(
          numerator: name, denominator: "\(name).products",
          against: "its matrix products alone", isOfLimit: true),
      ]
    }
    return benchmark
  }
}

/// The training steps of one model on this rank.
struct TrainedSteps {
  private let model: TrainedModel
  private let precision: String
  private let reduction: GradientReduction
  private let workers: Int
  private let microBatches: Int?

  /// - Parameters:
  ///   - workers: Number of workers on the host, over all its ranks.
  ///   - microBatches: Micro-batches per step; nil for one per worker.
  init(
    _ model: TrainedModel, _ precision: Precision?, _ reduction: GradientReduction, workers: Int,
    microBatches: Int? = nil
  ) {
    self.model = model
    self.precision = precision?.rawValue ?? "auto"
    self.reduction = reduction
    self.workers = workers
    self.microBatches = microBatches
  }

  /// Measures tokens per second of the median step after the first two, and the peak memory.
  ///
  /// Collective.
  func measure(_ world: Communicator) throws -> Reading {
    var overrides = ["precision=\(precision)", "reduction=\(reduction)"]
    if let microBatches {
      overrides += [
        "batch.microBatches=\(microBatches)", "batch.sequences=\(model.batch / microBatches)",
      ]
    }
    var reader = try model.configuration(workers: workers, overrides: overrides)
    let phase = try Pretraining(&reader)
    model.removeTokenizerFile()
    let trainer = try Trainer(
      phase.plan, world: world, workers: try Cores.assign(workers: workers, world),
      objective: try phase.objective(over: model.tokens(phase)))
    var seconds: [Double] = []
    for _ in 0..<model.steps { seconds.append(try trainer.step().secondsPerStep) }
    return [
      "rate": Double(phase.plan.tokensPerStep) / Array(seconds.dropFirst(2)).median,
      "memory": Double(ProcessMemory.peak() ?? 0) / 1_048_576,
    ]
  }
}
