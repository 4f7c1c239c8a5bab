import Annotation
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
    case CheckpointError.notAsWritten: 5
    case is StorageError, is MonitoringError, is StandardOutput.Failure: 5
    case let error as DatasetError: error.isStorageFailure ? 5 : 2
    case let error as TokenizerError: error.isStorageFailure ? 5 : 2
    case let error as AnnotationError: error.isPassing ? 75 : error.isStorageFailure ? 5 : 2
    case is CheckpointError, is ConfigurationError, is ModelError, is Refusal,
      is StartContract.Mismatch, is StartRefusal, is Cores.Oversubscribed, is WorkerPool.NoThread:
      2
    case is MPIError: 75
    case let code as ExitCode: code.rawValue
    default: 1
    }
  }

  /// The sentence of `error`.
  static func sentence(_ error: any Error) -> String {
    var text = "\(error)"
    if (error as? DatasetError)?.isBadRecord == true {
      text += ", or leave such records out with data.skipBad: true (--skip-bad)"
    }
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
      let isUsage = !(error is ExitCode) && !ApusCommand.exitCode(for: error).isSuccess
      let rank = ProcessInfo.processInfo.environment["OMPI_COMM_WORLD_RANK"] ?? "0"
      // mpirun takes a second to end the others after a rank that ended before MPI began.
      if isUsage { letRankZeroSpeak(before: Int(rank) ?? 0, seconds: 3) }
      ApusCommand.exit(withError: error)
    }
    report(sentence(error))
    Foundation.exit(code(error))
  }

  /// Ends a rank that failed, and with it all others, within seconds.
  ///
  /// Errors that every rank has alike are told by rank 0 alone; any other names rank and host. Where
  /// all ranks know of the error they end by themselves, else they are ended.
  static func end(_ error: any Error, on world: Communicator) throws -> Never {
    if let failure = error as? RankFailure {
      let code = try world.broadcast(failure.error.map(codeOfRank) ?? 0, from: failure.rank)
      if let error = failure.error {
        report((failure.rank == 0 ? "" : place(of: world)) + sentence(error))
      }
      throw ExitCode(code)
    }
    let isCommon = error is DivergenceGuard.Diverged || error is StartContract.Mismatch
    if world.size == 1 || error is ExitCode { throw error }
    if isCommon {
      if world.rank == 0 { report(sentence(error)) }
      throw ExitCode(code(error))
    }
    letRankZeroSpeak(before: world.rank, seconds: 0.3)
    report(place(of: world) + sentence(error))
    world.abort(code: codeOfRank(error))
  }

  /// Waits where rank 0 may have met the same: its end is the others' end.
  private static func letRankZeroSpeak(before rank: Int, seconds: Double) {
    if rank > 0 { Thread.sleep(forTimeInterval: seconds) }
  }

  /// The same as `code`, but 2 for what has no code of its own: 1 is `mpirun`'s.
  private static func codeOfRank(_ error: any Error) -> Int32 {
    code(error) == 1 ? 2 : code(error)
  }

  private static func place(of world: Communicator) -> String {
    "rank \(world.rank) on \((try? Communicator.hostName) ?? "an unknown host"): "
  }
}
