import Checkpoints
import Configuration
import Foundation
import MPI
import Monitoring
import Synchronization
import TestWorld
import Testing

@testable import DataParallel
@testable import Phases
@testable import Training

/// The configuration of the tests' runs, which take about a second in a debug build.
let smallRun = """
  model: { family: gpt2, layers: 1, heads: 2, width: 16, context: 16, dropout: 0.1 }
  data: { train: [text.txt], validation: 0.2 }
  batch: { microBatches: 4, sequences: 2 }
  steps: 12
  schedule: { warmup: 2 }
  checkpoint: { every: 0, keep: 2, keepBest: false }
  evaluate: { every: 0, tokens: 256 }
  """

/// Returns the plan of `smallRun` with some keys changed.
func plan(_ overrides: [String]) throws -> TrainingPlan { try phase(overrides).plan }

/// Returns the pretraining phase of `smallRun` with some keys changed.
func phase(_ overrides: [String]) throws -> Pretraining {
  var reader = try ConfigurationReader(yaml: smallRun, file: "run.yaml", overrides: overrides)
  return try Pretraining(&reader)
}

/// A cache folder of this process, removed at its end: the tests do not write to the user's cache.
private let cache: String = {
  let path = "\(NSTemporaryDirectory())/apus-cache-\(UUID().uuidString)"
  setenv("XDG_CACHE_HOME", path, 1)
  atexit { try? FileManager.default.removeItem(atPath: cache) }
  return path
}()

/// A folder that all ranks share, with a corpus in it; removed by rank 0.
///
/// Collective.
final class SharedFolder {
  let path: String
  let world: Communicator

  init(_ world: Communicator) throws {
    _ = cache
    let own = "\(NSTemporaryDirectory())/apus-training-\(UUID().uuidString)"
    self.world = world
    path = String(decoding: try world.broadcast(Array(own.utf8)), as: UTF8.self)
    try write(corpus: 400)
  }

  deinit {
    try? world.barrier()
    if world.rank == 0 { try? FileManager.default.removeItem(atPath: path) }
  }

  var corpus: String { "\(path)/corpus.txt" }
  var run: RunFolder { RunFolder("\(path)/run") }

  /// Writes `count` sentences of a few words.
  func write(corpus count: Int) throws {
    if world.rank == 0 {
      let words = [
        "swift", "river", "the", "a", "wind", "over", "sleeps", "under", "flies", "high",
      ]
      let lines = (0..<count).map { line in
        (0..<8).map { words[(line * 7 + $0 * $0 * 3 + line / 3) % words.count] }
          .joined(separator: " ")
      }
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try Data(lines.joined(separator: ".\n").utf8).write(to: URL(fileURLWithPath: corpus))
    }
    try world.barrier()
  }

  /// Returns the steps of the published checkpoints.
  ///
  /// Collective.
  func publishedSteps() throws -> [Int] {
    try world.barrier()
    return try run.checkpoints.publishedSteps()
  }

  /// Returns SHA-256 of the weights after `step`.
  ///
  /// Collective, because rank 0 publishes after the others have continued.
  func weights(step: Int) throws -> String {
    try world.barrier()
    let checkpoint = try Checkpoint(verifying: run.checkpoint(step: step))
    return try #require(checkpoint.manifest.files.first { $0.name == "model.safetensors" }).sha256
  }

  /// Returns the attempt that holds the folder.
  ///
  /// Collective.
  func holder() throws -> String {
    try world.barrier()
    return try String(contentsOfFile: "\(run.checkpoints.path)/ATTEMPT", encoding: .utf8)
  }

  /// Returns the entries of the checkpoint folder that are not published checkpoints.
  func leftovers() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: run.checkpoints.path)
      .filter { $0 != "ATTEMPT" && CheckpointName.isPublished($0) == false }.sorted()
  }
}

private enum CheckpointName {
  static func isPublished(_ name: String) -> Bool {
    name.hasPrefix("step-") && name.dropFirst(5).allSatisfy(\.isNumber)
  }
}

/// Records all reports, and calls a closure at every step.
final class Recorder: RunObserver {
  struct Record: Sendable {
    var steps: [StepReport] = []
    var evaluations: [EvaluationReport] = []
    var events: [EventReport] = []
    var profiles: [ProfileReport] = []
    var isFinished = false
  }

  private let record = Mutex(Record())
  private let atStep: @Sendable (Int) throws(MonitoringError) -> Void

  /// Microseconds to sleep after an evaluation.
  private let pause: UInt32

  init(
    pause: UInt32 = 0,
    atStep: @escaping @Sendable (Int) throws(MonitoringError) -> Void = { _ in }
  ) {
    self.pause = pause
    self.atStep = atStep
  }

  var seen: Record { record.withLock { $0 } }

  func sentences(_ kind: EventReport.Kind) -> [String] {
    seen.events.filter { $0.kind == kind }.map(\.sentence)
  }

  func step(_ report: StepReport) throws(MonitoringError) {
    record.withLock { $0.steps.append(report) }
    try atStep(report.step)
  }

  func evaluation(_ report: EvaluationReport) {
    record.withLock { $0.evaluations.append(report) }
    usleep(pause)
  }

  func event(_ report: EventReport) {
    record.withLock { $0.events.append(report) }
  }

  func profile(_ report: ProfileReport) {
    record.withLock { $0.profiles.append(report) }
  }

  func finish() {
    record.withLock { $0.isFinished = true }
  }
}

extension SharedFolder {
  /// One attempt of the small run in this folder.
  ///
  /// Collective.
  @discardableResult
  func attempt(
    _ overrides: String..., threads: Int = 1, resume: TrainingRun.Resume = .auto,
    recorder: Recorder = Recorder(), profiles: Bool = false
  ) throws -> TrainingRun.Outcome {
    try attempt(
      overrides, threads: threads, resume: resume, recorder: recorder, profiles: profiles)
  }

  /// One attempt of the small run with a list of overrides.
  ///
  /// Collective.
  @discardableResult
  func attempt(
    _ overrides: [String], threads: Int = 1, resume: TrainingRun.Resume = .auto,
    recorder: Recorder = Recorder(), profiles: Bool = false
  ) throws -> TrainingRun.Outcome {
    let phase = try phase(["run=\(run.path)", "data.train=[\(corpus)]"] + overrides)
    let attempt = try TrainingRun(
      phase, world: world, workers: .init(threads: threads, cores: nil), resume: resume,
      observer: recorder, version: "test", profiles: profiles)
    return try attempt.run()
  }
}
