import ArgumentParser
import DataParallel
import Foundation
import Launch
import MPI

/// A subcommand that works on files.
///
/// Under `mpirun`, rank 0 runs it and the other ranks end at once, unless it is a
/// ``CollectiveSubcommand``.
protocol Subcommand: ParsableCommand {
  /// Files, folders and globs that must exist before it starts.
  var inputs: [String] { get }
  /// Files and folders that it writes, which a later stage of a recipe may read.
  var outputs: [String] { get }
  /// The outputs that must not exist when it starts.
  var newFolders: [String] { get }
}

extension Subcommand {
  var outputs: [String] { [] }
  var newFolders: [String] { [] }
}

/// A subcommand that all ranks run together.
protocol CollectiveSubcommand: Subcommand {
  var ranks: RankArguments { get }
  /// The settings that all ranks must have in common before they work together.
  var settings: [(name: String, value: String)] { get }

  /// Does the work; collective.
  func run(_ world: Communicator, _ workers: Cores.Assignment) throws
}

extension CollectiveSubcommand {
  /// The words of the command line; the value of an option has its name.
  var settings: [(name: String, value: String)] {
    let words = CommandLine.arguments.dropFirst()
    return [("number of arguments", "\(words.count)")]
      + zip([""] + words, words).enumerated().map { place, pair in
        (pair.0.hasPrefix("--") ? pair.0 : "argument \(place + 1)", pair.1)
      }
  }

  func run() throws {
    try ranks.run(agreeingOn: settings) { world, workers in
      if self is any TrainingSubcommand {
        try world.together {
          guard world.rank == 0, let folder = try? LaunchCommand.folder(of: self) else { return }
          let token = ProcessInfo.processInfo.environment[LaunchLock.tokenVariable]
          try LaunchLock.requireNone(on: folder, token: token)
        }
      }
      try run(world, workers)
    }
  }
}

/// A subcommand that trains: when it is stopped, the same command continues.
protocol TrainingSubcommand: CollectiveSubcommand {}
