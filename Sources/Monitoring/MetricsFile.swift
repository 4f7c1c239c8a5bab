import Glibc
import Synchronization

/// The metrics.jsonl of a run: one line for each step, one for each evaluation.
///
/// A run that was interrupted and resumed leaves a file that reads as one run: what the interrupted
/// attempt wrote beyond the step it resumes from is cut off when the file is opened.
///
/// Lines are collected and written when 64 of them wait, when a report comes a second or more after
/// the last write, with every evaluation and event, and at the end. Before a checkpoint is published
/// its lines are on the disk (`persist`), so that they outlive a crash as it does.
public final class MetricsFile: RunObserver {
  private struct State: ~Copyable {
    let file: OutputFile
    var waiting: [UInt8] = []
    var lines = 0
    var lastWrite: ContinuousClock.Instant

    mutating func flush(now: ContinuousClock.Instant) throws(MonitoringError) {
      try file.write(&waiting)
      lines = 0
      lastWrite = now
    }
  }

  private static let mostWaitingLines = 64

  private let state: Mutex<State>
  private let now: @Sendable () -> ContinuousClock.Instant

  /// Opens the file at `path`; a run that resumes after `step` keeps the lines up to that step, and
  /// one that starts, with nil, keeps none.
  public convenience init(path: String, resumingAfter step: Int?) throws(MonitoringError) {
    try self.init(path: path, resumingAfter: step, now: { ContinuousClock.now })
  }

  init(
    path: String, resumingAfter step: Int?, now: @escaping @Sendable () -> ContinuousClock.Instant
  ) throws(MonitoringError) {
    let file = try OutputFile(path: path, flags: O_APPEND)
    var kept = 0
    if let step { kept = try MetricsHistory.length(ofFileAt: path, upTo: step) }
    try file.truncate(to: kept)
    state = Mutex(State(file: file, lastWrite: now()))
    self.now = now
  }

  /// Adds the line of a step.
  public func step(_ report: StepReport) throws(MonitoringError) {
    try append(report.json, atOnce: false)
  }

  /// Adds the line of an evaluation and writes all lines.
  public func evaluation(_ report: EvaluationReport) throws(MonitoringError) {
    try append(report.json, atOnce: true)
  }

  /// Writes all lines; the event itself has none.
  public func event(_ report: EventReport) throws(MonitoringError) {
    let now = now()
    try state.withLock { state throws(MonitoringError) in
      try state.flush(now: now)
      if report.kind == .checkpointSaved { try state.file.synchronize() }
    }
  }

  /// Writes all lines and waits for the disk.
  public func finish() throws(MonitoringError) {
    try persist()
  }

  /// Writes all lines and waits for the disk; for any thread, before a checkpoint of the steps told
  /// so far is published: a run that resumes from it must find their lines.
  public func persist() throws(MonitoringError) {
    let now = now()
    try state.withLock { state throws(MonitoringError) in
      try state.flush(now: now)
      try state.file.synchronize()
    }
  }

  private func append(_ line: JSONValue, atOnce: Bool) throws(MonitoringError) {
    let bytes = line.compact.utf8
    let now = now()
    try state.withLock { state throws(MonitoringError) in
      state.waiting += bytes
      state.waiting.append(UInt8(ascii: "\n"))
      state.lines += 1
      let isDue = state.lines >= Self.mostWaitingLines || now - state.lastWrite >= .seconds(1)
      if atOnce || isDue { try state.flush(now: now) }
    }
  }
}
