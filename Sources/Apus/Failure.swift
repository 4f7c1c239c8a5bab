import ArgumentParser
import Checkpoints
import Configuration
import DataParallel
import Datasets
import Foundation
import MPI
import Models
import Monitoring
import Tokenizers
import Training

/// The one place where errors become sentences on standard error and exit codes.
enum Failure {
  /// Something a command refuses, in its own words; exit code 2.
  struct Refusal: Error, CustomStringConvertible {
    let description: String

    init(_ sentence: String) {
      description = sentence
    }
  }

  /// The exit code of `error`: 2 configuration or input, 3 diverged, 5 storage, 64 usage, 75 worth a
  /// relaunch.
  static func code(_ error: any Error) -> Int32 {
    switch error {
    case is DivergenceGuard.Diverged: 3
    case is StorageError, is MonitoringError, is StandardOutput.Failure: 5
    case let error as DatasetError: error.isStorageFailure ? 5 : 2
    case let error as TokenizerError: error.isStorageFailure ? 5 : 2
    case is CheckpointError, is ConfigurationError, is ModelError, is Refusal,
      is StartContract.Mismatch, is Cores.Oversubscribed, is WorkerPool.NoThread:
      2
    case is MPIError: 75
    case let code as ExitCode: code.rawValue
    default: 1
    }
  }

  /// The sentence of `error`.
  static func sentence(_ error: any Error) -> String {
    let text = "\(error)"
    return text.isEmpty || text.hasSuffix(".") || text.hasSuffix("?") ? text : text + "."
  }

  static func report(_ sentence: String) {
    // Not through FileHandle, which crashes when nobody reads any more.
    var line = "apus: \(sentence)\n"
    line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  /// Ends the process: ours with a sentence, those of the command line with its usage.
  static func exit(_ error: any Error) -> Never {
    if error is ExitCode || error is CleanExit || code(error) == 1 {
      ApusCommand.exit(withError: error)
    }
    report(sentence(error))
    Foundation.exit(code(error))
  }

  /// Ends a rank that failed, and with it all others, within seconds.
  ///
  /// Errors that every rank has alike are told by rank 0 alone; any other names rank and host.
  static func end(_ error: any Error, on world: Communicator) throws -> Never {
    let isCommon = error is DivergenceGuard.Diverged || error is StartContract.Mismatch
    if world.size == 1 || error is ExitCode { throw error }
    if isCommon {
      if world.rank == 0 { report(sentence(error)) }
      throw ExitCode(code(error))
    }
    // Rank 0 speaks first when it met the same; its end is the others' end.
    if world.rank > 0 { usleep(300_000) }
    let host = (try? Communicator.hostName) ?? "an unknown host"
    report("rank \(world.rank) on \(host): \(sentence(error))")
    world.abort(code: code(error) == 1 ? 2 : code(error))
  }
}
