import Glibc
import Synchronization

/// The progress of a run on standard error.
///
/// The first step, every N steps, the last step, evaluations and events are ordinary lines. On a
/// terminal a live line below them shows the steps between, rewritten in place at most ten times per
/// second and never wider than the window.
package final class ProgressLine: RunObserver {
  /// The style of the lines.
  package enum Style: Sendable {
    /// Ordinary lines; steps whose number is a multiple of `every` have one.
    case plain(every: Int)
    /// The same ordinary lines, or none of steps without `every`, and below them a live line, all of
    /// steps no wider than `columns()`; with or without colours.
    case live(every: Int? = nil, columns: @Sendable () -> Int, colour: Bool)
  }

  private struct State {
    /// The time of the first report, an event of the start.
    var begin: ContinuousClock.Instant?
    /// The first step of this attempt, and the time of its report.
    var start: (step: Int, time: ContinuousClock.Instant)?
    var last: StepReport?
    var lastTime: ContinuousClock.Instant?
    var lastDrawn: ContinuousClock.Instant?
    var isDrawn = false
  }

  private static let interval = Duration.milliseconds(100)

  private let style: Style
  private let write: @Sendable (String) -> Void
  private let now: @Sendable () -> ContinuousClock.Instant
  private let state = Mutex(State())

  /// Progress on standard error: live on a terminal, that of `mpirun` included, otherwise a line
  /// every `every` steps.
  ///
  /// A terminal without cursor movement (`TERM=dumb`) counts as a pipe; `NO_COLOR` is respected.
  package static func standardError(every: Int) -> ProgressLine {
    let terminal = Terminal.ofStandardError
    let style: Style =
      if let terminal, Terminal.isLive(terminal) {
        .live(
          every: every, columns: { Terminal.columns(of: terminal) }, colour: Terminal.hasColour)
      } else {
        .plain(every: every)
      }
    return ProgressLine(style: style, write: Terminal.write)
  }

  /// Progress in the given style, written by `write`.
  package init(
    style: Style, write: @escaping @Sendable (String) -> Void,
    now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
  ) {
    if case .plain(let every) = style {
      precondition(every > 0, "logging every \(every) steps is not possible")
    }
    self.style = style
    self.write = write
    self.now = now
  }

  /// Shows a step if a line is due.
  package func step(_ report: StepReport) {
    let now = now()
    state.withLock { state in
      let isFirst = state.start == nil
      if isFirst { state.start = (report.step, now) }
      state.last = report
      state.lastTime = now
      state.isDrawn = false
      let isLast = report.step == report.totalSteps
      switch style {
      case .plain(let every):
        guard isFirst || isLast || report.step % every == 0 else { return }
        write(ProgressText.line(report, eta: Self.eta(state)) + "\n")
        state.isDrawn = true
      case .live(let every, _, _):
        let isDue = state.lastDrawn.map { now - $0 >= Self.interval } ?? true
        if let every, isFirst || isLast || report.step % every == 0 {
          draw(&state)
          end(&state)
        } else if isDue || isLast {
          draw(&state)
        }
      }
    }
  }

  package func evaluation(_ report: EvaluationReport) {
    show(colour: report.isBest ? Self.green : nil) { total in
      ProgressText.line(report, totalSteps: total)
    }
  }

  package func event(_ report: EventReport) {
    let now = now()
    let isEnd = report.kind == .finished || report.kind == .stopping
    let start = state.withLock { state in
      state.begin = state.begin ?? now
      if isEnd { end(&state) }
      return state.begin ?? now
    }
    show(colour: report.kind.needsAttention ? Self.yellow : nil) { total in
      ProgressText.line(
        report, totalSteps: total, seconds: isEnd ? (now - start) / .seconds(1) : nil)
    }
  }

  /// Shows the table of the profile.
  package func profile(_ report: ProfileReport) {
    show(colour: nil) { _ in report.table }
  }

  /// Shows the last step and ends the live line.
  package func finish() {
    state.withLock { end(&$0) }
  }

  /// Leaves the last step as an ordinary line.
  private func end(_ state: inout State) {
    guard case .live = style, state.lastDrawn != nil else { return }
    if !state.isDrawn { draw(&state) }
    write("\n")
    state.lastDrawn = nil
  }

  // ECMA-48: erase to the end of the line; foreground colours; reset.
  private static let erase = "\u{1B}[K"
  private static let green = "\u{1B}[32m"
  private static let yellow = "\u{1B}[33m"
  private static let reset = "\u{1B}[0m"

  private func show(colour: String?, _ text: (Int?) -> String) {
    state.withLock { state in
      let line = text(state.last?.totalSteps)
      guard case .live(_, _, let hasColour) = style else { return write(line + "\n") }
      let coloured = colour.map { hasColour ? $0 + line + Self.reset : line } ?? line
      write((state.lastDrawn == nil ? "" : "\r" + Self.erase) + coloured + "\n")
      if state.lastDrawn != nil { draw(&state) }
    }
  }

  private func draw(_ state: inout State) {
    guard case .live(_, let columns, _) = style, let report = state.last else { return }
    // A character in the last column makes some terminals start a new line.
    let text = ProgressText.line(
      report, eta: Self.eta(state), width: min(100, columns() - 1))
    write("\r" + text + Self.erase)
    state.lastDrawn = state.lastTime
    state.isDrawn = true
  }

  /// The estimated seconds to the last step.
  ///
  /// The pace is the wall time per step since the first report of this attempt, which includes
  /// evaluations and checkpoints but not the first, warming-up step; after one report only, it is
  /// the time of that step.
  private static func eta(_ state: State) -> Double? {
    guard let last = state.last, let start = state.start, let time = state.lastTime else {
      return nil
    }
    let steps = last.step - start.step
    let pace = steps > 0 ? (time - start.time) / .seconds(1) / Double(steps) : last.secondsPerStep
    return pace * Double(max(0, last.totalSteps - last.step))
  }
}
