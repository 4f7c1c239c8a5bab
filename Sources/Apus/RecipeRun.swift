import DataParallel
import Files
import MPI
import Recipes
import Phases
import Training

/// Runs the stages of a recipe.
struct RecipeRun {
  let recipe: Recipe
  let world: Communicator
  let workers: Cores.Assignment
  /// The subcommands of the stages that are commands, by the name of the stage.
  let commands: [String: any Subcommand]

  /// - Throws: `Failure.Refusal` for a stage whose command or phase does not exist.
  init(_ recipe: Recipe, world: Communicator, workers: Cores.Assignment) throws {
    self.recipe = recipe
    self.world = world
    self.workers = workers
    var commands: [String: any Subcommand] = [:]
    for stage in recipe.stages {
      switch stage.work {
      case .command(let words): commands[stage.name] = try RecipeRun.command(words, of: stage)
      case .phase(let name, _): _ = try RecipeRun.kind(name, of: stage)
      }
    }
    self.commands = commands
  }

  /// The progress of a stage.
  enum State: Equatable {
    /// Never finished, or an input has changed since.
    case pending
    /// Finished with these settings and inputs.
    case done
    /// Finished with other settings; the first line that differs, before and now.
    case changed(was: String, is: String)
  }

  /// Runs every selected stage that is not done.
  ///
  /// Collective.
  ///
  /// - Returns: False when the run was asked to stop; the same command resumes it.
  func run(from first: String?, only: String?) throws -> Bool {
    let selected = try world.together { try selection(from: first, only: only) }
    let again = Set(selected.map(\.name).drop { $0 != first ?? only })
    try onRankZero { try checkInputs(of: selected, again: again) }
    // Stages to run again are pending from now on, also for a run that resumes after a stop.
    try onRankZero { for name in again { try StageRecord.remove(name, in: recipe.folder) } }
    for stage in selected {
      if try isDone(stage) {
        report("stage \(stage.name) is already done")
        continue
      }
      report("stage \(stage.name)")
      guard try run(stage, again: again.contains(stage.name)) else { return false }
      try onRankZero { try record(of: stage).write(stage.name, in: recipe.folder) }
    }
    return true
  }

  /// The lines of all stages, which all ranks must have in common.
  func settings() throws -> [(name: String, value: String)] {
    try [("run", recipe.folder)]
      + recipe.stages.flatMap { stage in
        try text(of: stage).split(separator: "\n").map { ("stage \(stage.name)", String($0)) }
      }
  }

  /// The selected stages.
  ///
  /// - Throws: `Failure.Refusal` for an unknown name, or when an input of `only` is not done.
  func selection(from first: String?, only: String?) throws -> [Stage] {
    for name in [first, only].compactMap(\.self) where recipe.stage(named: name) == nil {
      throw Failure.Refusal(
        "The recipe has no stage \(name); it has "
          + recipe.stages.map(\.name).joined(separator: ", ") + ".")
    }
    if let only {
      let stage = recipe.stages.filter { $0.name == only }
      for input in stage.flatMap(\.inputs) {
        guard try isRecorded(input) else {
          throw Failure.Refusal(
            "Stage \(only) needs stage \(input), which is not done: run the recipe without --only "
              + "first, or --only \(input).")
        }
      }
      return stage
    }
    return recipe.stages
  }

  private func run(_ stage: Stage, again: Bool) throws -> Bool {
    switch stage.work {
    case .command:
      try runCommand(of: stage)
      return true
    case .phase(let name, let reader):
      let kind = try RecipeRun.kind(name, of: stage)
      let outcome = try PhaseArguments.train(
        kind, world: world, workers: workers, resume: again ? .never : .auto, reader: { reader })
      return outcome == .finished
    }
  }

  private func runCommand(of stage: Stage) throws {
    guard var command = commands[stage.name] else { return }
    try onRankZero { try setAside(command.newFolders) }
    if let command = command as? any CollectiveSubcommand {
      return try command.run(
        world, try command.ranks.workers(world, inRecipeWith: workers))
    }
    try onRankZero { try command.run() }
  }

  /// Renames those of `folders` in the recipe's folder that an earlier run of the stage wrote.
  private func setAside(_ folders: [String]) throws {
    for folder in folders
    where folder.hasPrefix(recipe.folder + "/") && FileStatus.isPresent(folder) {
      let aside = (1...).lazy.map { "\(folder).before-\($0)" }.first { !FileStatus.isPresent($0) }
      guard let aside else { continue }
      try FileSystem.rename(folder, to: aside)
      Failure.report("\(folder) is now \(aside), because its stage runs again.")
    }
  }

  static func kind(_ name: String, of stage: Stage) throws -> PhaseKind {
    guard let kind = PhaseKind(rawValue: name) else {
      throw Failure.Refusal("Stage \(stage.name): \(PhaseKind.refusal(of: name))")
    }
    return kind
  }

  /// True when the stage called `name` has a record: it was finished at least once.
  func isRecorded(_ name: String) throws -> Bool {
    try StageRecord.read(name, in: recipe.folder) != nil
  }

  /// The record of `stage` with its current settings and inputs.
  func record(of stage: Stage) throws -> StageRecord {
    var inputs: [String: String] = [:]
    for input in stage.inputs {
      inputs[input] = try StageRecord.read(input, in: recipe.folder)?.digest ?? "not done"
    }
    return StageRecord(text: try text(of: stage), inputs: inputs)
  }

  private func text(of stage: Stage) throws -> String {
    switch stage.work {
    case .command: return stage.commandText ?? ""
    case .phase(let name, var reader):
      try RecipeRun.kind(name, of: stage).type.checkKeys(&reader)
      return "phase: \(name)\n" + reader.resolved
    }
  }

  func state(of stage: Stage) throws -> State {
    guard let record = try StageRecord.read(stage.name, in: recipe.folder) else { return .pending }
    let now = try self.record(of: stage)
    if record == now { return .done }
    guard record.text != now.text else { return .pending }
    let (old, new) = (record.text.split(separator: "\n"), now.text.split(separator: "\n"))
    let differing = zip(old, new).enumerated().first { $1.0 != $1.1 }
    let place = differing?.offset ?? min(old.count, new.count)
    let line = { (lines: [Substring]) in
      place < lines.count ? lines[place].drop { $0 == " " } : "nothing"
    }
    return .changed(was: String(line(old)), is: String(line(new)))
  }

  /// True when rank 0 finds the stage done; refuses a stage that is done with other settings.
  private func isDone(_ stage: Stage) throws -> Bool {
    let isDone = try world.together {
      guard world.rank == 0 else { return false }
      let state = try state(of: stage)
      if case .changed(let was, let now) = state {
        throw Failure.Refusal(
          "Stage \(stage.name) was done with other settings (\(was) before, \(now) now): run it "
            + "and all after it again with --from \(stage.name).")
      }
      return state == .done
    }
    return try world.broadcast(UInt8(isDone ? 1 : 0)) == 1
  }

  func onRankZero(_ body: () throws -> Void) throws {
    try world.together { if world.rank == 0 { try body() } }
  }

  private func report(_ text: String) {
    if world.rank == 0 { Failure.report(text) }
  }
}
