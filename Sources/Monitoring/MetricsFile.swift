import Files
import Glibc
import Synchronization

/// The metrics.jsonl of a run: one line per step and one per evaluation.
///
/// The file of a resumed run reads as one run: opening it removes the lines of the interrupted
/// attempt beyond the step that the run resumes from.
///
/// Lines are buffered. They are written when 64 of them wait, when a report comes a tenth of a second
/// or more after the last write, with every evaluation and event, and at the end. Before a checkpoint is
/// published, its lines are made durable (`persist`), so that they outlive a crash as it does.
///
/// Lines that cannot be written, as on a full disk, wait for the next write: only `persist` and
/// `finish`, on which checkpoints depend, throw.
package final class MetricsFile: RunObserver {
  private struct State {
    /// The bytes of the lines that are not yet written.
    var buffered: [UInt8] = []
    var lines = 0
    var lastWrite: ContinuousClock.Instant

    mutating func flush(
      to file: borrowing OutputFile, now: ContinuousClock.Instant
    ) throws(StorageError) {
      lines = 0
      lastWrite = now
      try file.drain(&buffered)
    }

    /// Writes what can be written; throws only when too much waits.
    mutating func flushIfPossible(
      to file: borrowing OutputFile, now: ContinuousClock.Instant
    ) throws(StorageError) {
      do {
        try flush(to: file, now: now)
      } catch {
        if buffered.count > MetricsFile.maximumWaitingBytes { throw error }
      }
    }
  }

  private static let maximumBufferedLines = 64
  /// The time after a write in which lines wait.
  private static let interval = Duration.milliseconds(100)
  /// The most bytes that wait for a disk that cannot be written.
  private static let maximumWaitingBytes = 64 << 20

  private let file: OutputFile
  private let state: Mutex<State>
  private let now: @Sendable () -> ContinuousClock.Instant
  private let date: @Sendable () -> Double

  /// Opens the file at `path`; keeps the lines up to `step` of a run that resumes after it, and
  /// none if `step` is nil, for a run that starts.
  package init(
    path: String, resumingAfter step: Int?,
    now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now },
    date: @escaping @Sendable () -> Double = { MetricsFile.secondsSinceEpoch() }
  ) throws(MonitoringError) {
    let file = try MonitoringError.wrapping { () throws(StorageError) in
      let file = try OutputFile(path, flags: O_APPEND)
      let kept = try step.map { (step) throws(StorageError) in
        try MetricsHistory.length(ofFileAt: path, upTo: step)
      }
      try file.truncate(to: kept ?? 0)
      return file
    }
    self.file = file
    state = Mutex(State(lastWrite: now()))
    self.now = now
    self.date = date
  }

  /// Returns the energy of the run in the file at `path`, that of lost steps included; nil without.
  package static func energy(in path: String) -> Energy? {
    MetricsHistory.energy(inFileAt: path)
  }

  /// Appends the line of a step.
  package func step(_ report: StepReport) throws(MonitoringError) {
    try append(report.json(at: date()), atOnce: false)
  }

  /// Appends the line of steps that the run passes over.
  package func skip(_ report: SkipReport) throws(MonitoringError) {
    try append(report.json(at: date()), atOnce: true)
  }

  /// Removes the lines beyond `step`, or all if it is nil, of a run that goes back to there.
  ///
  /// The lines up to `step` must be durable, as those of a published checkpoint are.
  package func rewind(to step: Int?) throws(MonitoringError) {
    try withState { (state, _) throws(StorageError) in
      (state.buffered, state.lines) = ([], 0)
      let kept = try step.map { (step) throws(StorageError) in
        try MetricsHistory.length(ofFileAt: file.path, upTo: step)
      }
      try file.truncate(to: kept ?? 0)
    }
  }

  /// Appends the line of an evaluation and writes all lines.
  package func evaluation(_ report: EvaluationReport) throws(MonitoringError) {
    try append(report.json(at: date()), atOnce: true)
  }

  /// Writes all lines; an event has no line of its own.
  package func event(_ report: EventReport) throws(MonitoringError) {
    try withState { (state, now) throws(StorageError) in
      try state.flushIfPossible(to: file, now: now)
    }
  }

  /// Writes all lines and waits until they are durable.
  package func finish() throws(MonitoringError) {
    try persist()
  }

  /// Writes all lines and waits until they are durable; any thread may call it.
  ///
  /// It must be called before a checkpoint of the steps reported so far is published: a run that
  /// resumes from it must find their lines.
  package func persist() throws(MonitoringError) {
    try withState { (state, now) throws(StorageError) in try state.flush(to: file, now: now) }
    // Outside the lock, which the next step takes: a disk may need long.
    try MonitoringError.wrapping { () throws(StorageError) in try file.synchronize() }
  }

  /// The wall-clock time in milliseconds' resolution, as seconds since 1970-01-01T00:00:00Z.
  package static func secondsSinceEpoch() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec / 1_000_000) / 1000
  }

  private func append(_ line: JSONValue, atOnce: Bool) throws(MonitoringError) {
    let bytes = line.line
    try withState { (state, now) throws(StorageError) in
      state.buffered += bytes
      state.buffered.append(UInt8(ascii: "\n"))
      state.lines += 1
      let isDue = state.lines >= Self.maximumBufferedLines || now - state.lastWrite >= Self.interval
      if atOnce || isDue { try state.flushIfPossible(to: file, now: now) }
    }
  }

  private func withState(
    _ body: (inout State, ContinuousClock.Instant) throws(StorageError) -> Void
  ) throws(MonitoringError) {
    let now = now()
    try MonitoringError.wrapping { () throws(StorageError) in
      try state.withLock { (state) throws(StorageError) in try body(&state, now) }
    }
  }
}
