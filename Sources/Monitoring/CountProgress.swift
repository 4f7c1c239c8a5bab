import Glibc
import Synchronization

/// The progress of long work outside of a training run, such as sampling, on standard error.
///
///     sampling  480/2400 prompts  eta 1:12
///
/// On a terminal it is one live line, which is erased at the end; in a pipe or file it is a line every
/// 30 seconds. Work of less than a second shows nothing. Its methods may be called on any thread.
package final class CountProgress: Sendable {
  private struct State {
    var done = 0
    /// The time of the last line; at first that of the start.
    var last: ContinuousClock.Instant
    var isDrawn = false
  }

  private let name: String
  private let unit: String
  private let total: Int
  /// The columns of the terminal; nil in a pipe.
  private let columns: (@Sendable () -> Int)?
  private let write: @Sendable (String) -> Void
  private let now: @Sendable () -> ContinuousClock.Instant
  private let start: ContinuousClock.Instant
  private let state: Mutex<State>

  /// Begins work on `total` units.
  package convenience init(_ name: String, _ total: Int, _ unit: String) {
    var columns: (@Sendable () -> Int)?
    if let terminal = Terminal.ofStandardError, Terminal.isLive(terminal) {
      columns = { Terminal.columns(of: terminal) }
    }
    self.init(name, total, unit, columns: columns, write: Terminal.write)
  }

  init(
    _ name: String, _ total: Int, _ unit: String, columns: (@Sendable () -> Int)?,
    write: @escaping @Sendable (String) -> Void,
    now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
  ) {
    (self.name, self.total, self.unit) = (name, total, unit)
    (self.columns, self.write, self.now) = (columns, write, now)
    start = now()
    state = Mutex(State(last: start))
  }

  /// Adds `count` units that are done, 0 for a part of one, and shows them if a line is due.
  package func advance(by count: Int = 1) {
    let now = now()
    state.withLock { state in
      state.done = min(total, state.done + count)
      let interval: Duration =
        columns == nil ? .seconds(30) : state.isDrawn ? .milliseconds(100) : .seconds(1)
      guard now - state.last >= interval else { return }
      state.last = now
      let pace = (now - start) / .seconds(1) / Double(state.done)
      let eta = Durations.text(pace * Double(total - state.done))
      let text = "\(name)  \(state.done)/\(total) \(unit)  eta \(eta)"
      guard let columns else { return write(text + "\n") }
      // ECMA-48: erase to the end of the line.
      write("\r" + text.prefix(max(0, columns() - 1)) + "\u{1B}[K")
      state.isDrawn = true
    }
  }

  /// Erases the live line; output may follow.
  package func finish() {
    state.withLock { state in
      if state.isDrawn { write("\r\u{1B}[K") }
      state.isDrawn = false
    }
  }
}
