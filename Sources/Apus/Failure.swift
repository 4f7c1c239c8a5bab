import Annotation
import ArgumentParser
import Checkpoints
import Configuration
import DataParallel
import Datasets
import Files
import Foundation
import MPI
import Models
import Monitoring
import Tensors
import Tokenizers
import Training

/// The mapping of all errors to sentences on standard error and to exit codes.
enum Failure {
  /// An input that a command refuses, with its sentence; exit code 2.
  struct Refusal: Error, CustomStringConvertible {
    let description: String

    init(_ sentence: String) {
      description = sentence
    }
  }

  /// Returns the bytes of the regular file at `path`, an argument of the user.
  static func contents(of path: String) throws -> [UInt8] {
    do throws(StorageError) {
      return try InputFile.contents(of: path)
    } catch {
      throw Refusal("\(path) cannot be read: \(error.reason); correct the path or the file.")
    }
  }

  /// The exit code of `error`: 2 configuration or input, 3 diverged, 5 storage, 64 usage, 75
  /// temporary (start the same command again).
  static func code(_ error: any Error) -> Int32 {
    switch error {
    case is DivergenceGuard.Diverged: 3
    case let error as StorageError: error.isFaultOfPath ? 2 : 5
    case DatasetError.storage(let failure), MonitoringError.storage(let failure): code(failure)
    case CheckpointError.notAsWritten, TokenizerError.unwritable, AnnotationError.storage,
      StartRefusal.noRoom, is SaveFailure, is StandardOutput.Failure, is CocoaError, is POSIXError:
      5
    case AnnotationError.locked, is MPIError, is CorruptedWeights, is CorruptedGradient: 75
    case let error as WrongProducts: error.isLibrary ? 2 : 75
    default:
      // ArgumentParser has codes for its own errors, and `.failure` for all others.
      switch ApusCommand.exitCode(for: error) {
      case .failure: 2
      case let known: known.rawValue
      }
    }
  }

  /// True for ArgumentParser's errors, which print the usage, and for `ExitCode`, which prints nothing.
  private static func isOfParser(_ error: any Error) -> Bool {
    error is ExitCode || ApusCommand.exitCode(for: error) != .failure
  }

  /// The sentence of `error`, with its full stop.
  static func sentence(_ error: any Error) -> String {
    // Foundation's description of an error lists its parts; the other one is a sentence.
    let isOfFoundation = error is CocoaError || error is POSIXError
    var text = isOfFoundation ? error.localizedDescription : "\(error)"
    if (error as? DatasetError)?.isBadRecord == true {
      text += ", or leave such records out with data.skipBad: true (--skip-bad)"
    }
    return text.isEmpty || text.hasSuffix(".") || text.hasSuffix("?") ? text : text + "."
  }

  /// Writes `sentence` to standard error, as one line; of a very long one, which quotes a file, the
  /// beginning and the end.
  static func report(_ sentence: String) {
    let (most, shown) = (4000, sentence.visible())
    let isLong = shown.unicodeScalars.count > most
    write("apus: \(isLong ? "\(shown.prefix(most / 2)) … \(shown.suffix(most / 4))" : shown)\n")
  }

  private static func write(_ text: String) {
    // FileHandle would crash when the reader has closed its end.
    var text = text
    text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  /// The sentence of a command-line error as other errors have it, and the usage below it.
  private static func usage(_ error: any Error) -> String {
    let text = ApusCommand.fullMessage(for: error)
    let (label, sentence) = ("Error: ", ApusCommand.message(for: error))
    guard text.hasPrefix(label + sentence) else { return text }
    let end = [".", "?", "!", "\n"].contains { sentence.hasSuffix($0) } ? "" : "."
    return "apus: " + sentence + end + text.dropFirst(label.count + sentence.count)
  }

  /// Ends the process with the sentence of `error`, or with the usage for a command-line error.
  static func exit(_ error: any Error) -> Never {
    if isOfParser(error) {
      let isHelp = ApusCommand.exitCode(for: error).isSuccess
      if isHelp, Ranks.own > 0 { Foundation.exit(0) }
      if isHelp || error is ExitCode { ApusCommand.exit(withError: error) }
      waitForRankZeroBeforeMPI()
      write(usage(error).visible(keepsLines: true) + "\n")
      Foundation.exit(code(error))
    }
    if error is LauncherMismatch, Ranks.own > 0 {
      // Rank 0 reports it too. A rank 0 of the right MPI names this rank, which has not joined it.
      waitForRankZeroBeforeMPI()
      Foundation.exit(code(error))
    }
    report(sentence(error))
    // OpenBLAS's handler at exit waits for its threads, which try for ever to map memory.
    if error is MatrixLibrary.NoRoom { _exit(code(error)) }
    Foundation.exit(code(error))
  }

  /// Ends the process with `sentence` and exit code 2 before MPI has started.
  static func refuse(_ sentence: String) -> Never {
    waitForRankZeroBeforeMPI()
    report(sentence)
    Foundation.exit(2)
  }

  /// Ends all ranks within seconds after an error on this one.
  ///
  /// Rank 0 alone reports an error that every rank has; any other report names rank and host. When
  /// all ranks know of the error, each of them exits; otherwise `MPI_Abort` ends them.
  static func end(_ error: any Error, on world: Communicator) throws -> Never {
    Signals.ignoreStopRequests()
    if let failure = error as? RankFailure {
      let code = try world.broadcast(failure.error.map(code) ?? 0, from: failure.rank)
      if let error = failure.error, !(error is ExitCode) {
        report((failure.rank == 0 ? "" : place(of: world)) + sentence(error))
      }
      // When the first rank exits, mpirun sends SIGTERM, which by then every rank ignores.
      try world.barrier()
      throw ExitCode(code)
    }
    let isCommon =
      error is DivergenceGuard.Diverged || error is StartContract.Mismatch
      || error is CorruptedWeights || error is CorruptedGradient
      || error is WrongProducts
    if world.size == 1 || error is ExitCode { throw error }
    if isCommon {
      if world.rank == 0 { report(sentence(error)) }
      try world.barrier()
      throw ExitCode(code(error))
    }
    waitForRankZero(on: world.rank, seconds: 0.3)
    report(place(of: world) + sentence(error))
    world.abort(code: code(error))
  }

  /// Waits on ranks other than 0: if rank 0 has the same error, it reports it and ends this rank.
  private static func waitForRankZero(on rank: Int, seconds: Double) {
    if rank > 0 { Thread.sleep(forTimeInterval: seconds) }
  }

  private static func waitForRankZeroBeforeMPI() {
    // mpirun takes a second to end the other ranks after one exits before MPI_Init.
    waitForRankZero(on: Ranks.own, seconds: 3)
  }

  private static func place(of world: Communicator) -> String {
    "rank \(world.rank) on \((try? Communicator.hostName) ?? "an unknown host"): "
  }
}
