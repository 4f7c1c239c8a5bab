import ArgumentParser
import DataParallel
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

  /// Does the work; collective.
  func run(_ world: Communicator, _ workers: Cores.Assignment) throws
}

extension CollectiveSubcommand {
  func run() throws { try ranks.run(run) }
}

/// A subcommand that trains: when it is stopped, the same command continues.
protocol TrainingSubcommand: CollectiveSubcommand {}
