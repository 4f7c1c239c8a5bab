import DataParallel
import Glibc
import MPI
import Monitoring
import Tensors

/// A few steps of a run, operation by operation: begins after the first two, which warm up, and ends
/// five later, or with the run, also when it is asked to stop.
///
/// What lies between the steps, evaluations and saves, does not count. A run that diverges or fails
/// leaves no profile.
final class Profiler {
  private static let warmUp = 2
  private static let length = 5

  private enum State {
    /// Until `steps` are done.
    case warmingUp(steps: Int)
    case looking(Window)
    case done
  }

  private struct Window {
    /// Steps of the run before the first that is looked at.
    let before: Int
    /// When the looking began, and the step under way.
    let start: UInt64
    var stepStart: UInt64
    /// Nanoseconds of the steps that are done.
    var duration: UInt64 = 0
  }

  private let world: Communicator
  private let folder: RunFolder
  private var state = State.warmingUp(steps: 0)

  init(world: Communicator, folder: RunFolder) {
    self.world = world
    self.folder = folder
  }

  /// Call before every step.
  ///
  /// Collective.
  func stepBegins(_ trainer: Trainer) throws {
    switch state {
    case .warmingUp(let steps):
      // A run with few steps left is profiled without a warm-up.
      let left = trainer.plan.options.steps - trainer.state.step
      guard steps == Profiler.warmUp || steps == 0 && left <= Profiler.warmUp else { return }
      try world.barrier()
      trainer.replicas.startTimelines()
      let now = Timeline.now()
      state = .looking(Window(before: trainer.state.step, start: now, stepStart: now))
    case .looking(var window):
      window.stepStart = Timeline.now()
      state = .looking(window)
    case .done: break
    }
  }

  /// Call after every step.
  ///
  /// Collective.
  ///
  /// - Returns: What was done, once, when the last step to look at is over.
  func stepEnded(_ trainer: Trainer) throws -> ProfileReport? {
    switch state {
    case .warmingUp(let steps): state = .warmingUp(steps: steps + 1)
    case .looking(var window):
      window.duration += Timeline.now() - window.stepStart
      state = .looking(window)
      let isLast = trainer.state.step == trainer.plan.options.steps
      if isLast || trainer.state.step - window.before == Profiler.length { return try end(trainer) }
    case .done: break
    }
    return nil
  }

  /// Ends the looking; call where the run ends before its last step.
  ///
  /// Collective.
  ///
  /// - Returns: What was done so far; nil when nobody looked, or it was told before.
  func end(_ trainer: Trainer) throws -> ProfileReport? {
    guard case .looking(let window) = state else { return nil }
    state = .done
    let lanes = trainer.replicas.takeTimelines().map { thread, spans in
      ProfileReport.Lane(
        name: thread, computes: thread.hasPrefix("worker"),
        spans: spans.map {
          ProfileReport.Span(
            name: $0.name, phase: $0.phase.rawValue,
            start: Double($0.start - min($0.start, window.start)) / 1e9,
            duration: Double($0.duration) / 1e9, operations: $0.operations, bytes: $0.bytes)
        })
    }
    if world.rank == 0 { try folder.createProfile() }
    try world.barrier()
    let report = ProfileReport(
      rank: world.rank, steps: window.before + 1...trainer.state.step,
      seconds: Double(window.duration) / 1e9, lanes: lanes, peak: trainer.calibration.own,
      trace: folder.trace(rank: world.rank))
    try report.writeTrace()
    return report
  }
}
