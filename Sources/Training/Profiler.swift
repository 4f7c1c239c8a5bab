import DataParallel
import Glibc
import MPI
import Monitoring
import Tensors

/// A few steps of a run, operation by operation: begins after the first two, which warm up, and ends
/// five later, or with the run.
final class Profiler {
  private static let warmUp = 2
  private static let length = 5

  private let world: Communicator
  private let peak: ProfileReport.Peak
  private let folder: RunFolder
  private var stepsSeen = 0
  private var start: (step: Int, time: UInt64)?

  /// Measures what the machine can do, for a second.
  ///
  /// Collective.
  init(_ trainer: Trainer, world: Communicator, folder: RunFolder) throws {
    self.world = world
    self.folder = folder
    peak = try Calibration.peak(of: trainer.replicas)
  }

  /// Call before every step.
  ///
  /// Collective.
  func stepBegins(_ trainer: Trainer) throws {
    // A run with few steps left is profiled without a warm-up.
    let left = trainer.plan.options.steps - trainer.state.step
    guard start == nil, stepsSeen == Profiler.warmUp || stepsSeen == 0 && left <= Profiler.warmUp
    else { return }
    try world.barrier()
    trainer.replicas.startTimelines()
    start = (trainer.state.step, Timeline.now())
  }

  /// Call after every step.
  ///
  /// Collective.
  ///
  /// - Returns: What was done, once, when the last step to look at is over.
  func stepEnded(_ trainer: Trainer) throws -> ProfileReport? {
    stepsSeen += 1
    guard let start else { return nil }
    let now = Timeline.now()
    let done = trainer.state.step - start.step
    guard done == Profiler.length || trainer.state.step == trainer.plan.options.steps else {
      return nil
    }
    self.start = nil
    stepsSeen = Int.max / 2
    let lanes = trainer.replicas.takeTimelines().map { thread, spans in
      ProfileReport.Lane(
        name: thread, computes: thread.hasPrefix("worker"),
        spans: spans.map {
          ProfileReport.Span(
            name: $0.name, phase: $0.phase.rawValue,
            start: Double($0.start - min($0.start, start.time)) / 1e9,
            duration: Double($0.duration) / 1e9, operations: $0.operations, bytes: $0.bytes)
        })
    }
    if world.rank == 0 { try folder.createProfile() }
    try world.barrier()
    let report = ProfileReport(
      rank: world.rank, steps: start.step + 1...trainer.state.step,
      seconds: Double(now - start.time) / 1e9, lanes: lanes, peak: peak,
      trace: folder.trace(rank: world.rank))
    try report.writeTrace()
    return report
  }
}
