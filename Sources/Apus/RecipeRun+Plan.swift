import Checkpoints
import Configuration
import DataParallel
import Monitoring
import Recipes
import Tensors
import Tokenizers
import Phases

extension RecipeRun {
  /// One row of the plan.
  private struct Line {
    let stage: Stage
    let state: String
    /// The sizes that follow from its keys; nil for a command.
    var sketch: PhaseSketch?
    var isPending: Bool { state != "done" }
  }

  /// Prints what `run` would do, one row per stage, and changes nothing.
  ///
  /// Collective.
  func printPlan(from first: String?, only: String?) throws {
    let bf16IsFaster = try world.allReduce(UInt8(MatrixLibrary.bf16IsFaster ? 1 : 0), .min) == 1
    try onRankZero {
      let selected = try selection(from: first, only: only)
      try checkInputs(of: selected, again: Set(selected.map(\.name).drop { $0 != first ?? only }))
    }
    let lines = try world.together { try plan(from: first, only: only, bf16IsFaster: bf16IsFaster) }
    var (rows, seconds) = ([[String]](), 0.0)
    for line in lines {
      var row = [
        line.stage.name, name(of: line.stage), line.state,
        line.stage.inputs.isEmpty ? "–" : line.stage.inputs.joined(separator: ", "),
      ]
      if let sketch = line.sketch {
        let (trained, frozen) = sketch.parameters
        row += [
          frozen > 0 ? "\(trained) of \(trained + frozen)" : "\(trained)",
          sketch.plan.epochs.map { "\($0) epochs" } ?? "\(sketch.plan.steps)",
          "\(sketch.memory(ranks: world.size, threads: workers.threads) >> 20) MiB",
        ]
        // The data decides the steps of a number of epochs.
        if line.isPending && sketch.plan.epochs == nil {
          let time = try TimeEstimate(sketch, world: world, workers: workers)
          seconds += time.seconds
          row.append("≈ \(Durations.text(time.seconds))")
        }
      }
      rows.append(row)
    }
    let ranksOfHost = try world.splitByHost().size
    let available = Int(
      try world.allReduce(Int64(ProcessMemory.available(ranks: ranksOfHost)), .min))
    if world.rank == 0 {
      try print(rows, seconds: seconds)
      let (threads, cores) = (ranksOfHost * workers.threads, Cores.count)
      if seconds > 0 && threads > cores {
        try StandardOutput.print(
          "The \(threads) threads of a host (ranks × --threads) share \(cores, "core"): the times are "
            + "those of the cores.")
      }
      for line in lines where line.isPending {
        do {
          try line.sketch?.plan.requireMemory(available, ranks: world.size)
        } catch {
          try StandardOutput.print("Stage \(line.stage.name) would be refused: \(error).")
        }
      }
    }
  }

  private func print(_ rows: [[String]], seconds: Double) throws {
    let head = [
      "stage", "what", "state", "inputs", "parameters", "steps", "memory per rank", "time",
    ]
    let table = ([head] + rows).map { row in
      row + Array(repeating: "", count: head.count - row.count)
    }
    for line in TextTable.lines(of: table) { try StandardOutput.print(line) }
    if seconds == 0 { return }
    try StandardOutput.print(
      """

      ≈ \(Durations.text(seconds)) of training remains. Times are estimates: the fastest of a \
      few steps on random tokens on these ranks or, if a step is long or large, its matrix \
      products at 60 % of the measured peak. Excluded are commands, building datasets, \
      checkpoints, and evaluations other than those of pretraining.
      """)
  }

  /// The rows of the selected stages, with the sizes that are known before they run.
  private func plan(
    from first: String?, only: String?, bf16IsFaster: Bool
  ) throws -> [Line] {
    let selected = try selection(from: first, only: only)
    let again = Set(selected.map(\.name).drop { $0 != first ?? only })
    var artifacts = PlannedArtifacts()
    var lines: [Line] = []
    for stage in recipe.stages {
      var sketch: PhaseSketch?
      switch stage.work {
      case .command:
        // The vocabulary size of a tokenizer is known before it is trained.
        if let train = commands[stage.name] as? TokenizerTrainCommand {
          artifacts.vocabularies[train.corpus.output] = train.vocabulary
        }
      case .phase(let name, let reader):
        sketch = try self.sketch(
          try RecipeRun.kind(name, of: stage), reader, of: stage, artifacts,
          bf16IsFaster: bf16IsFaster)
        artifacts.models[stage.folder] = sketch?.plan.model
      }
      guard selected.contains(where: { $0.name == stage.name }) else { continue }
      let state = again.contains(stage.name) ? "to do again" : try stateText(of: stage)
      lines.append(Line(stage: stage, state: state, sketch: sketch))
    }
    return lines
  }

  /// The sizes of a stage; nil if they depend on the output of a command that has not run.
  private func sketch(
    _ kind: PhaseKind, _ reader: ConfigurationReader, of stage: Stage,
    _ artifacts: PlannedArtifacts, bf16IsFaster: Bool
  ) throws -> PhaseSketch? {
    var (keys, all) = (reader, reader)
    let isReady = try stage.inputs.allSatisfy(isRecorded)
    do {
      let sketch = try kind.type.sketch(&keys, artifacts, bf16IsFaster: bf16IsFaster)
      // With its inputs done, its data exists as well, and is checked as a run would check it.
      if isReady, try state(of: stage) == .pending {
        _ = try kind.type.init(&all, bf16IsFaster: bf16IsFaster)
      }
      return sketch
    } catch let error where !isReady && (error is CheckpointError || error is TokenizerError) {
      return nil
    }
  }

  private func name(of stage: Stage) -> String {
    switch stage.work {
    case .command(let words): words.prefix(2).joined(separator: " ")
    case .phase(let name, _): name
    }
  }

  private func stateText(of stage: Stage) throws -> String {
    switch try state(of: stage) {
    case .pending: "to do"
    case .done: "done"
    case .changed: "done with other settings"
    }
  }
}
