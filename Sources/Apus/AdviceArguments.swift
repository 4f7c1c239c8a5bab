import ArgumentParser
import DataParallel
import Files
import Launch
import MPI
import Monitoring
import Phases
import Tensors
import Training

/// The options of a recommendation.
struct AdviceArguments: ParsableArguments {
  @Option(help: "What a model is to do: classify, embed, transform, generate or extract.")
  var objective: AdviceQuestion.Objective?

  @Option(help: "Number of examples (texts for embed).")
  var examples: Int?

  @Option(help: "Mean tokens per example (default: 64 to 512, by objective).")
  var exampleTokens: Int?

  @Option(help: "Hours in which the model must be trained.")
  var deadline: Double?

  func validate() throws {
    if objective == nil {
      if examples != nil || exampleTokens != nil || deadline != nil {
        throw ValidationError("--examples, --example-tokens and --deadline belong to --objective.")
      }
      return
    }
    guard let examples else {
      throw ValidationError("The number of examples is missing; give it with --examples.")
    }
    if !(0...1_000_000_000_000).contains(examples) {
      throw ValidationError("--examples must be 0 to 1e12, not \(examples).")
    }
    if let exampleTokens, !(1...1_000_000).contains(exampleTokens) {
      throw ValidationError("--example-tokens must be 1 to 1e6, not \(exampleTokens).")
    }
    if let deadline, !(deadline > 0 && deadline < 1e6) {
      throw ValidationError("--deadline must be above 0 and below 1e6 hours, not \(deadline).")
    }
  }

  /// The question, for hosts that reach the fraction of this machine's peak that wide models
  /// typically reach; nil without an objective.
  func question(
    _ cluster: PlannedClusterArguments, _ world: Communicator, _ workers: Cores.Assignment
  ) throws -> AdviceQuestion? {
    guard let objective else { return nil }
    let hosts = try cluster.resolved(cores: workers.threads, runFolder: nil).0
    let idle = try DataParallel(
      world: world, layout: ParameterLayout(),
      plan: .init(
        microBatches: 1 << 16, threads: workers.threads, cores: workers.cores,
        precision: TrainingOptions.PrecisionChoice.auto.resolved)
    ) { $0 }
    let peak = try MachinePeak(of: idle).flopsPerSecond
    let threads = Double(hosts.hosts * hosts.ranksPerHost * hosts.threads)
    return AdviceQuestion(
      objective, examples: examples ?? 0, tokensPerExample: exampleTokens,
      deadline: deadline.map { $0 * 3600 },
      flopsPerSecond: peak * StepCalibration.typicalFractionOfPeak * threads
        / Double(workers.threads),
      memory: cluster.memory.map { Int($0 * 0x1p30) } ?? ProcessMemory.available())
  }
}

extension AdviceQuestion.Objective: ExpressibleByArgument {}
