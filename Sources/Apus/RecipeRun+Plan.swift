import Checkpoints
import Configuration
import Recipes
import Tensors
import Tokenizers
import Phases

extension RecipeRun {
  /// Prints what `run` would do, one row per stage, and changes nothing.
  ///
  /// Collective.
  func printPlan(from first: String?, only: String?) throws {
    let bf16IsFaster = try PhaseArguments.bf16IsFaster(onAllOf: world)
    try onRankZero {
      let selected = try selection(from: first, only: only)
      try checkInputs(of: selected, again: Set(selected.map(\.name).drop { $0 != first ?? only }))
    }
    let rows = try world.together { try plan(from: first, only: only, bf16IsFaster: bf16IsFaster) }
    try PlannedRuns(heads: ["stage", "what", "state", "inputs"], rows: rows).print(world, workers)
  }

  /// The rows of the selected stages, with the sizes that are known before they run.
  private func plan(
    from first: String?, only: String?, bf16IsFaster: Bool
  ) throws -> [PlannedRuns.Row] {
    let selected = try selection(from: first, only: only)
    let again = Set(selected.map(\.name).drop { $0 != first ?? only })
    var artifacts = PlannedArtifacts()
    var rows: [PlannedRuns.Row] = []
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
      rows.append(
        PlannedRuns.Row(
          name: "Stage \(stage.name)",
          cells: [
            stage.name, name(of: stage), state,
            stage.inputs.isEmpty ? "–" : stage.inputs.joined(separator: ", "),
          ], sketch: sketch, isPending: state != "done"))
    }
    return rows
  }

  /// The sizes of a stage; nil if they depend on the output of a command that has not run.
  private func sketch(
    _ kind: PhaseKind, _ reader: ConfigurationReader, of stage: Stage,
    _ artifacts: PlannedArtifacts, bf16IsFaster: Bool
  ) throws -> PhaseSketch? {
    var (keys, all) = (reader, reader)
    let isReady = try stage.inputs.allSatisfy(isRecorded)
    do {
      var sketch = try kind.type.sketch(&keys, artifacts, bf16IsFaster: bf16IsFaster)
      // With its inputs done, its data exists as well, and is checked as a run would check it.
      if isReady, try state(of: stage) == .pending {
        let phase = try kind.type.init(&all, bf16IsFaster: bf16IsFaster)
        sketch.rowSizes = try phase.rowSizes()
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
