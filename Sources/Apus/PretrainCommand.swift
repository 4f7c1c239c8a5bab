import ArgumentParser
import Configuration
import MPI
import Monitoring
import Tensors
import Training

/// `apus pretrain`: trains a model on text, alone or under `mpirun`.
struct PretrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pretrain",
    abstract: "Train a model on text.",
    discussion: """
      mpirun -np 2 apus pretrain run.yaml

      Without a file it trains the embedded default, stories of a small written world. The same \
      command continues an interrupted run.
      """)

  @Argument(help: "The run, a YAML file; `apus config --schema` lists its keys.")
  var file: String?

  @Option(
    name: .customLong("set"), help: "Override a key: --set optimizer.learningRate=3e-4. Repeatable."
  )
  var overrides: [String] = []

  @Option(help: "Workers per rank; the host's cores ÷ its ranks when absent.")
  var threads: Int?

  @Flag(help: "Allow more workers than cores.")
  var oversubscribe = false

  @Option(help: "Where to begin: auto (newest whole checkpoint), never, or a checkpoint folder.")
  var resume = "auto"

  @Flag(
    help: """
      Look at five steps after the first two: a table of where their time goes, and what every \
      thread did in RUN/profile, for chrome://tracing or ui.perfetto.dev.
      """)
  var profile = false

  func validate() throws {
    if let threads, threads < 1 {
      throw ValidationError("--threads must be at least 1, not \(threads).")
    }
  }

  func run() throws {
    let environment = try MPIEnvironment()
    let world = environment.world
    MatrixLibrary.useCallingThreadOnly()
    do {
      let workers = try Ranks.workers(world, threads: threads, oversubscribe: oversubscribe)
      // bf16 only where every rank's CPU is quick with it.
      let areQuick = try world.allReduce(UInt8(MatrixLibrary.hasHalfProducts ? 1 : 0), .min) == 1
      let phase = try world.together {
        var reader =
          try file.map { try ConfigurationReader(path: $0, overrides: overrides) }
          ?? ConfigurationReader(yaml: "", file: "the command line", overrides: overrides)
        return try Pretraining(&reader, halvesAreQuick: areQuick)
      }
      let run = try TrainingRun(
        phase, world: world, workers: workers, resume: start,
        observer: ProgressLine.standardError(every: phase.plan.options.logEvery),
        version: Program.identity, profiles: profile)
      if case .stopped = try run.run() { throw ExitCode(75) }
    } catch {
      try Failure.end(error, on: world)
    }
  }

  private var start: TrainingRun.Resume {
    switch resume {
    case "auto": .auto
    case "never": .never
    default: .path(resume)
    }
  }
}
