import ArgumentParser
import Configuration
import DataParallel
import MPI
import Monitoring
import Tensors
import Phases
import Training

/// The arguments of every training command, and the training itself, on one rank or under `mpirun`.
struct PhaseArguments: ParsableArguments {
  @Argument(help: "YAML file of the run; `apus config --phase PHASE --schema` lists its keys.")
  var file: String?

  @Option(
    name: .customLong("set"),
    help: "Override of a key, as in --set optimizer.learningRate=3e-4. Repeatable."
  )
  var overrides: [String] = []

  @OptionGroup var ranks: RankArguments

  @Option(help: "Checkpoint to resume from: auto (the newest intact one), never, or a folder.")
  var resume = "auto"

  @Flag(
    help: """
      Profile five steps after the first two: print a table of the time per operation, and write \
      a trace of every thread to RUN/profile, for chrome://tracing or ui.perfetto.dev.
      """)
  var profile = false

  @Flag(help: "Print the expected sizes and time of the run, check its data, and change nothing.")
  var dryRun = false

  func validate() throws {
    if dryRun && (profile || resume != "auto") {
      throw ValidationError(
        "--dry-run trains nothing: leave out --profile and --resume.")
    }
  }

  /// Runs the phase `kind` to the end of the run, or prints the plan of a dry run.
  ///
  /// - Throws: `ExitCode` 75 when the run was stopped before its last step.
  fileprivate func run(
    _ kind: PhaseKind, _ world: Communicator, _ workers: Cores.Assignment
  ) throws {
    if dryRun { return try printPlan(kind, world, workers, reader) }
    let outcome = try Self.train(
      kind, world: world, workers: workers, resume: start, profiles: profile, reader: reader)
    if case .stopped = outcome { throw ExitCode(75) }
  }

  /// Returns a reader of the file with the overrides.
  func reader() throws(ConfigurationError) -> ConfigurationReader {
    if let file { return try ConfigurationReader(path: file, overrides: overrides) }
    return try ConfigurationReader(yaml: "", file: "the command line", overrides: overrides)
  }

  /// Prints the sizes of the run and its time from the first step to the last.
  private func printPlan(
    _ kind: PhaseKind, _ world: Communicator, _ workers: Cores.Assignment,
    _ reader: () throws -> ConfigurationReader
  ) throws {
    let bf16IsFaster = try Self.bf16IsFaster(onAllOf: world)
    var (plan, row) = try world.together {
      var (keys, all) = (try reader(), try reader())
      var sketch = try kind.type.sketch(&keys, PlannedArtifacts(), bf16IsFaster: bf16IsFaster)
      let phase = try kind.type.init(&all, bf16IsFaster: bf16IsFaster)
      sketch.rowSizes = try phase.rowSizes()
      let row = PlannedRuns.Row(
        name: "The run", cells: [phase.plan.run, kind.rawValue], sketch: sketch, isPending: true)
      return (phase.plan, row)
    }
    row.sketch?.firstStep = try TrainingRun.firstStep(of: plan, resume: start, world: world)
    try PlannedRuns(heads: ["run", "what"], rows: [row]).print(world, workers)
  }

  /// True when bf16 is faster on the CPU of every rank, so that `auto` means it.
  ///
  /// Collective.
  static func bf16IsFaster(onAllOf world: Communicator) throws -> Bool {
    try world.allReduce(UInt8(MatrixLibrary.bf16IsFaster ? 1 : 0), .min) == 1
  }

  /// Runs one phase on all ranks of `world`.
  ///
  /// Collective.
  static func train(
    _ kind: PhaseKind, world: Communicator, workers: Cores.Assignment, resume: TrainingRun.Resume,
    profiles: Bool = false, reader: () throws -> ConfigurationReader
  ) throws -> TrainingRun.Outcome {
    let phase = try StartLimit.watching {
      let bf16IsFaster = try bf16IsFaster(onAllOf: world)
      return try world.together {
        var reader = try reader()
        return try kind.type.init(&reader, bf16IsFaster: bf16IsFaster)
      }
    }
    return try TrainingRun(
      phase, world: world, workers: workers, resume: resume,
      observer: ProgressLine.standardError(every: phase.plan.logEvery),
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

/// The command of a training phase.
protocol PhaseSubcommand: TrainingSubcommand {
  static var phase: PhaseKind { get }
  var arguments: PhaseArguments { get }
}

extension PhaseSubcommand {
  var ranks: RankArguments { arguments.ranks }
  /// The configuration is compared line by line when it has been read.
  var settings: [(name: String, value: String)] {
    [("--resume", arguments.resume), ("--dry-run", "\(arguments.dryRun)")]
  }
  var inputs: [String] { arguments.file.map { [$0] } ?? [] }

  func run(_ world: Communicator, _ workers: Cores.Assignment) throws {
    try arguments.run(Self.phase, world, workers)
  }
}
