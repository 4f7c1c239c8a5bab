import Configuration
import DataParallel
import Optimizers

/// The agreement of the ranks about the weights: `sync`.
package enum Synchronization: String, Sendable, CaseIterable {
  /// After every step.
  case exact
  /// After a round of steps; see `DiLoCo`.
  case diloco
}

/// The settings of DiLoCo, in which workers train copies of the model by themselves and agree on their
/// weights once per round.
///
/// Source: Douillard et al. 2023. In a round each worker takes `innerSteps` steps of the run's optimizer, from the same weights, with its
/// own part of each step's micro-batches and with optimizer state of its own, which stays from round to
/// round. Then the outer optimizer moves the global weights along the mean of the workers' differences
/// (`OuterOptimizer`). Checkpoints and evaluations happen between rounds only.
package struct DiLoCo: Sendable, Equatable {
  /// The number of workers, a power of two; the ranks are divided over them, see `WorkerGroups`.
  package let workers: Int
  /// The steps of a round.
  package let innerSteps: Int
  package let outerLearningRate: Double
  package let outerMomentum: Double

  package init(
    workers: Int, innerSteps: Int, outerLearningRate: Double, outerMomentum: Double
  ) {
    self.workers = workers
    self.innerSteps = innerSteps
    self.outerLearningRate = outerLearningRate
    self.outerMomentum = outerMomentum
  }

  /// Reads `sync` and the keys that belong to it.
  ///
  /// - Returns: nil for `sync: exact`.
  static func read(_ reader: inout ConfigurationReader) throws(ConfigurationError) -> DiLoCo? {
    let sync = try reader.choice(
      "sync", default: Synchronization.exact,
      help: "exact: the ranks agree on the weights after every step; diloco: workers train by "
        + "themselves for diloco.innerSteps steps and then agree, for slow networks")
    let diloco = DiLoCo(
      workers: try reader.integer(
        "diloco.workers", default: 2, in: 1...65536,
        help: "workers, a power of two; the number of ranks must be a multiple or a divisor of it"),
      innerSteps: try reader.integer(
        "diloco.innerSteps", default: 100, in: 1...1_000_000_000, unit: "steps",
        help:
          "steps that workers take by themselves before they agree; saves and evaluations happen "
          + "only then"),
      outerLearningRate: try reader.number(
        "diloco.outerLearningRate", default: 0.7, in: Double.leastNonzeroMagnitude...,
        help: "learning rate of the outer step along the mean of the workers' differences"),
      outerMomentum: try reader.number(
        "diloco.outerMomentum", default: 0.9, in: 0..<1, help: "Nesterov momentum of the outer step"
      ))
    if sync == .diloco { return diloco }
    for key in ["workers", "innerSteps", "outerLearningRate", "outerMomentum"]
    where reader.isChanged("diloco.\(key)") {
      throw reader.rejection(
        of: "diloco.\(key)",
        because: "it has no effect with sync: exact; leave it out, or set sync: diloco")
    }
    return nil
  }

  /// Refuses workers that cannot divide a step, and steps that are not whole rounds.
  ///
  /// - Parameters:
  ///   - leaves: The leaves of a step: micro-batches over accumulation.
  ///   - steps: The steps of the run; nil where `epochs` decides them.
  func requireWholeParts(
    of leaves: Int, steps: Int?, _ reader: ConfigurationReader
  ) throws(ConfigurationError) {
    if workers & (workers - 1) != 0 {
      let below = 1 << (Int.bitWidth - workers.leadingZeroBitCount - 1)
      throw reader.rejection(
        of: "diloco.workers",
        because: "\(workers) is not a power of two, as which the micro-batches of a step can be "
          + "divided evenly; choose \(below) or \(2 * below)")
    }
    if workers > leaves {
      throw reader.rejection(
        of: "diloco.workers",
        because: "\(workers) workers are more than the \(leaves) parts of a step "
          + "(batch.microBatches ÷ batch.accumulation); choose \(leaves) or fewer, or raise "
          + "batch.microBatches")
    }
    if let steps, steps % innerSteps != 0 {
      let below = steps / innerSteps * innerSteps
      throw reader.rejection(
        of: "steps",
        because: "\(steps) is no multiple of the \(innerSteps) steps of a round "
          + "(diloco.innerSteps); choose "
          + (below > 0 ? "\(below) or \(below + innerSteps)" : "\(innerSteps)"))
    }
  }

  /// The outer optimizer.
  var outerOptimizer: any Optimizer { NesterovSGD(momentum: Float(outerMomentum)) }

  /// Returns the name of the state `name` of the inner optimizer of `worker` in a checkpoint.
  static func name(_ name: String, ofWorker worker: Int) -> String { "\(name).worker-\(worker)" }

  /// Returns the name of the state `name` of the outer optimizer in a checkpoint.
  static func outerName(_ name: String) -> String { "outer.\(name)" }

  /// Returns the step at the end of the round to which the step after `step` belongs.
  func roundEnd(after step: Int) -> Int { (step / innerSteps + 1) * innerSteps }
}

extension TrainingPlan {
  /// Refuses a number of ranks that cannot be divided over the workers of DiLoCo.
  package func requireRanks(_ ranks: Int) throws(StartRefusal) {
    guard let diloco, WorkerGroups(workers: diloco.workers, ranks: ranks) == nil else { return }
    throw .ranksOfWorkers(ranks: ranks, workers: diloco.workers)
  }

  /// The division of `ranks` ranks over the workers of DiLoCo; nil without it.
  func groups(ranks: Int) -> WorkerGroups? {
    diloco.flatMap { WorkerGroups(workers: $0.workers, ranks: ranks) }
  }

  /// The leaves of one gradient, and the ranks that compute it together.
  package func gradientDivision(ranks: Int) -> (leaves: Int, ranks: Int) {
    groups(ranks: ranks).map { (leaves / $0.workers, $0.ranksPerGroup) } ?? (leaves, ranks)
  }

  /// The names of the optimizer state in a checkpoint.
  package var stateNames: [String] {
    guard let diloco else { return optimizer.stateNames }
    return (0..<diloco.workers).flatMap { worker in
      optimizer.stateNames.map { DiLoCo.name($0, ofWorker: worker) }
    } + diloco.outerOptimizer.stateNames.map(DiLoCo.outerName)
  }
}
