import DataParallel
import Glibc
import MPI
import Monitoring
import Tensors

/// The profile of a few steps, operation by operation.
///
/// It records five steps after the first two, which warm up, or fewer when the run ends or is
/// stopped earlier. Evaluations and saves between the steps do not count. A run that diverges or
/// fails leaves no profile.
final class Profiler {
  private static let warmUp = 2
  private static let recordedSteps = 5

  private enum State {
    /// `steps` steps of the warm-up are done.
    case warmingUp(steps: Int)
    case recording(Window)
    case done
  }

  private struct Window {
    /// The number of steps of the run before the first recorded one.
    let before: Int
    /// The start of the recording and of the current step, in nanoseconds.
    let start: UInt64
    var stepStart: UInt64
    /// The summed time of the recorded steps, in nanoseconds.
    var duration: UInt64 = 0
  }

  private let world: Communicator
  private let folder: RunFolder
  private var state = State.warmingUp(steps: 0)

  init(world: Communicator, folder: RunFolder) {
    self.world = world
    self.folder = folder
  }

  /// Starts the recording where it is due; called before every step.
  ///
  /// Collective.
  func stepBegins(_ trainer: Trainer) throws {
    switch state {
    case .warmingUp(let steps):
      // A run with few steps left is profiled without a warm-up.
      let left = trainer.plan.steps - trainer.state.step
      guard steps == Profiler.warmUp || steps == 0 && left <= Profiler.warmUp else { return }
      try world.barrier()
      trainer.replicas.startTimelines()
      let now = Timeline.now()
      state = .recording(Window(before: trainer.state.step, start: now, stepStart: now))
    case .recording(var window):
      window.stepStart = Timeline.now()
      state = .recording(window)
    case .done: break
    }
  }

  /// Ends the recording where it is due; called after every step.
  ///
  /// Collective.
  ///
  /// - Returns: The profile, once, after the last recorded step; nil otherwise.
  func stepEnded(_ trainer: Trainer) throws -> ProfileReport? {
    switch state {
    case .warmingUp(let steps): state = .warmingUp(steps: steps + 1)
    case .recording(var window):
      window.duration += Timeline.now() - window.stepStart
      state = .recording(window)
      let isLast = trainer.state.step == trainer.plan.steps
      if isLast || trainer.state.step - window.before >= Profiler.recordedSteps {
        return try end(trainer)
      }
    case .done: break
    }
    return nil
  }

  /// Ends the recording; called when the run ends before its last step.
  ///
  /// Collective.
  ///
  /// - Returns: The profile so far; nil when nothing was recorded or it was returned before.
  func end(_ trainer: Trainer) throws -> ProfileReport? {
    guard case .recording(let window) = state else { return nil }
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
      seconds: Double(window.duration) / 1e9, lanes: lanes, peak: trainer.peak.own,
      trace: folder.trace(rank: world.rank))
    try report.writeTrace()
    return report
  }
}
