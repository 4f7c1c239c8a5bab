import ArgumentParser
import Datasets
import Files
import Foundation
import Phases
import Recipes

/// The commands of stages, checked before the first stage runs.
extension RecipeRun {
  /// The subcommand that `words` ask for.
  ///
  /// - Throws: `Failure.Refusal` when there is none, or none that may be a stage.
  static func command(_ words: [String], of stage: Stage) throws -> any Subcommand {
    let start = "Stage \(stage.name): apus \(stage.commandText ?? "")"
    let command: any ParsableCommand
    do {
      command = try ApusCommand.command(from: words)
    } catch {
      guard !ApusCommand.exitCode(for: error).isSuccess else {
        throw Failure.Refusal("\(start) only prints help: give a command that does something.")
      }
      throw Failure.Refusal("\(start): \(ApusCommand.message(for: error))")
    }
    if command is any TrainingSubcommand {
      throw Failure.Refusal(
        "Stage \(stage.name): \(words[0]) cannot be the command of a stage: write "
          + (command is RunCommand ? "its stages here." : "phase: \(words[0]) with its keys."))
    }
    guard let command = command as? any Subcommand else {
      throw Failure.Refusal(
        words.contains { $0.hasPrefix("-") }
          ? "\(start) only prints help: give a command that does something."
          : "\(start) is not complete: name one of its subcommands.")
    }
    return command
  }

  /// The files, folders and globs that `stage` reads.
  private func inputs(of stage: Stage) throws -> [String] {
    if case .phase(let name, var reader) = stage.work {
      return try RecipeRun.kind(name, of: stage).type.inputs(&reader)
    }
    return commands[stage.name]?.inputs ?? []
  }

  /// Refuses a stage that is to run and whose inputs neither exist nor come from an earlier stage.
  ///
  /// - Parameters:
  ///   - selected: The stages of the run.
  ///   - again: The names of those that run even if they are done.
  func checkInputs(of selected: [Stage], again: Set<String>) throws {
    // One spelling of a path, whatever the recipe writes.
    let spelling = { (path: String) in URL(fileURLWithPath: path).standardizedFileURL.path }
    var made: [String] = []
    for stage in selected {
      let isPending = try again.contains(stage.name) || state(of: stage) != .done
      for path in isPending ? try inputs(of: stage) : [] {
        let root = SourceList.root(of: path)
        let own = spelling(root)
        let isMade = made.contains { own == $0 || own.hasPrefix($0 + "/") }
        guard try isMade || FileSystem.exists(path) || FileSystem.exists(root) else {
          throw Failure.Refusal(
            "Stage \(stage.name) reads \(path), which does not exist and no stage before it "
              + "makes: correct the path.")
        }
      }
      made += (commands[stage.name]?.outputs ?? [stage.folder]).map(spelling)
    }
  }
}
