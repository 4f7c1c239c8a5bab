import Annotation
import ArgumentParser
import Checkpoints
import Datasets
import Faults
import Files
import Foundation
import Launch
import Monitoring
import Testing
import Tokenizers

@testable import Apus
@testable import DataParallel
@testable import Tensors
@testable import Training

/// The exit code and the sentence of every type of error.
@Suite struct FailureTests {
  private static let full = StorageError.call(operation: "write", path: "run/x", code: ENOSPC)
  private static let wrongPath = StorageError.call(operation: "open", path: "run/x", code: ENOTDIR)

  /// An error of each type that reaches `Failure`, and its exit code.
  private static let reaching: [(any Error, Int32)] = [
    (DivergenceGuard.Diverged(step: 3, reason: "its loss is nan"), 3),
    (full, 5), (wrongPath, 2), (StorageError.superseded(path: "r", attempt: "1", holder: "2"), 5),
    (DatasetError.storage(full), 5), (DatasetError.storage(wrongPath), 2),
    (DatasetError.noTrainingText, 2), (MonitoringError.storage(full), 5),
    (TokenizerError.unwritable(path: "t", cause: full), 5),
    (CheckpointError.notACheckpoint(path: "c", reason: "r"), 2),
    (CheckpointError.notAsWritten(path: "c", what: "weights"), 5),
    (AnnotationError.missing(path: "a"), 2), (AnnotationError.locked(path: "a", seconds: 5), 75),
    (AnnotationError.storage(path: "a", reason: "r", isFull: true), 5),
    (CorruptedWeights(step: 3, ranks: ["rank 1 on b"], hasMajority: true), 75),
    (CorruptedGradient(step: 3, ranks: ["rank 1 on b"], isDecided: true, confirmed: 2), 75),
    (WrongProducts(rank: 1, host: "b", cores: [3], isLibrary: false), 75),
    (WrongProducts(rank: 1, host: "b", cores: [2, 3], isLibrary: true), 2),
    (SaveFailure(step: 3, rank: 1, reason: "the disk is full"), 5),
    (StandardOutput.Failure(code: ENOSPC), 5), (Failure.Refusal("no"), 2),
    (FaultSyntaxError(text: "kil", defect: "has no action"), 2),
    (NotAnInstruction(text: "p"), 2), (LoRAError.badPattern("("), 2),
    (MatrixLibrary.NoRoom(threads: 2), 2), (Cores.Oversubscribed(workers: 9, cores: 2), 2),
    (StartRefusal.folderNotShared(path: "r"), 2),
    (StartRefusal.ranksOfWorkers(ranks: 3, workers: 2), 2),
    (LaunchError.noMpirun, 2), (LaunchError.defects(of: ["b"]), 2),
    (HostsError.empty(source: "hosts"), 2),
    (WorkerPool.ThreadStartFailure(wanted: 2, started: 1, code: EAGAIN), 2),
    (CocoaError(.fileNoSuchFile), 5), (POSIXError(.EIO), 5),
    (ExitCode(75), 75), (ValidationError("wrong"), 64),
  ]

  /// Types of errors that their module catches, or that need a world of ranks, with the reason.
  private static let others = [
    "ConfigurationError": "made by a reader of a file: BadInputTests",
    "ModelError": "HostileFolderTests", "MPIError": "of a library call",
    "ShellLimit": "StartTests", "LauncherMismatch": "StartTests",
    "Mismatch": "RankTests", "RankFailure": "carries the error of a rank: RankTests",
    "RewardRuleFailure": "RewardFailureTests", "TooManySteps": "becomes RewardRuleFailure",
    "StopRequested": "becomes the outcome of a run: RewardStopTests",
    "RecordDefect": "becomes DatasetError.badRecord", "ValueError": "becomes TemplateError",
    "TemplateError": "becomes TokenizerError", "JSONSyntaxError": "of its callers' sentences",
    "Fault": "becomes AnnotationError.badAnswers", "Malformed": "becomes TokenizerError",
    "PatternError": "becomes TokenizerError",
    "SharedMemoryRefusal": "becomes HostBuffers.Refusal, a warning",
    "UnreadableSteps": "becomes ConfigurationError", "UnreadableRecord": "becomes a warning",
  ]

  @Test func everyErrorHasItsExitCodeAndASentence() {
    for (error, code) in Self.reaching {
      #expect(Failure.code(error) == code, "\(error)")
      let sentence = Failure.sentence(error)
      #expect(!sentence.contains("Domain=") && !sentence.contains("(code:"), "\(sentence)")
      #expect(error is ExitCode || sentence.hasSuffix("."), "\(sentence)")
    }
  }

  /// A new type of error must be given its exit code here.
  @Test func noTypeOfErrorIsForgotten() throws {
    let folder = "\(ReadmeTests.repository)/Sources"
    let known = Set(
      Self.reaching.map { "\(type(of: $0.0))" } + Self.others.keys
        + ["Diverged", "StorageErrorConvertible", "Failure"])
    var count = 0
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder)
    where path.hasSuffix(".swift") && !path.hasPrefix("Benchmarks/") {
      let text = try String(contentsOfFile: "\(folder)/\(path)", encoding: .utf8)
      let declaration = /(?:struct|enum|class|protocol) (\w+): [\w, ]*\bError\b/
      for match in text.matches(of: declaration) {
        count += 1
        #expect(known.contains(String(match.1)), "\(match.1) in \(path)")
      }
    }
    #expect(count > 25)
  }
}
