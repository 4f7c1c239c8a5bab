import ArgumentParser
import Configuration
import DataParallel
import MPI
import Monitoring
import Tensors
import Training

/// What every command that trains takes, and how it runs, alone or under `mpirun`.
struct PhaseArguments: ParsableArguments {
  @Argument(help: "The run, a YAML file; `apus config --schema` lists its keys.")
  var file: String?

  @Option(
    name: .customLong("set"), help: "Override a key: --set optimizer.learningRate=3e-4. Repeatable."
  )
  var overrides: [String] = []

  @OptionGroup var ranks: RankArguments

  @Option(help: "Where to begin: auto (newest whole checkpoint), never, or a checkpoint folder.")
  var resume = "auto"

  @Flag(
    help: """
      Look at five steps after the first two: a table of where their time goes, and what every \
      thread did in RUN/profile, for chrome://tracing or ui.perfetto.dev.
      """)
  var profile = false

  /// Trains as the phase `kind` does, to the end of the run.
  func run(_ kind: PhaseKind) throws {
    try ranks.run { world, workers in
      let outcome = try Self.train(
        kind, world: world, workers: workers, resume: start, profiles: profile
      ) {
        try file.map { try ConfigurationReader(path: $0, overrides: overrides) }
          ?? ConfigurationReader(yaml: "", file: "the command line", overrides: overrides)
      }
      if case .stopped = outcome { throw ExitCode(75) }
    }
  }

  /// One run of a phase.
  ///
  /// Collective.
  static func train(
    _ kind: PhaseKind, world: Communicator, workers: Cores.Assignment, resume: TrainingRun.Resume,
    profiles: Bool = false, reader: () throws -> ConfigurationReader
  ) throws -> TrainingRun.Outcome {
    // bf16 only where every rank's CPU is quick with it.
    let areQuick = try world.allReduce(UInt8(MatrixLibrary.hasHalfProducts ? 1 : 0), .min) == 1
    let phase = try world.together {
      var reader = try reader()
      return try kind.phase(&reader, halvesAreQuick: areQuick)
    }
    return try TrainingRun(
      phase, world: world, workers: workers, resume: resume,
      observer: ProgressLine.standardError(every: phase.plan.options.logEvery),
      version: Program.identity, profiles: profiles
    ).run()
  }

  private var start: TrainingRun.Resume {
    switch resume {
    case "auto": .auto
    case "never": .never
    default: .path(resume)
    }
  }
}
