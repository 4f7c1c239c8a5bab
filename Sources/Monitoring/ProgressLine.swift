import Synchronization

/// The progress of a run on standard error.
///
/// On a terminal one live line is rewritten in place, at most ten times a second and never wider
/// than the window; evaluations and events stand above it as ordinary lines. Elsewhere every line is
/// ordinary: the first step, every so many steps, and the last.
public final class ProgressLine: RunObserver {
  /// How lines are shown.
  public enum Style: Sendable {
    /// Ordinary lines, a step's whenever its number is a multiple of `every`.
    case plain(every: Int)
    /// A live line no wider than `columns()`, with or without colours in the lines above it.
    case live(columns: @Sendable () -> Int, colour: Bool)
  }

  private struct State {
    /// The first step of this attempt, and when its report came.
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

  /// Progress on standard error: live on a terminal, otherwise a line every `every` steps.
  ///
  /// Terminals without cursor movement (`TERM=dumb`) count as pipes; `NO_COLOR` is respected.
  public static func standardError(every: Int) -> ProgressLine {
    let style: Style =
      Terminal.isLive
      ? .live(columns: Terminal.columns, colour: Terminal.hasColour) : .plain(every: every)
    return ProgressLine(style: style, write: Terminal.write)
  }

  /// Progress in the given style, through `write`.
  public convenience init(style: Style, write: @escaping @Sendable (String) -> Void) {
    self.init(style: style, write: write, now: { ContinuousClock.now })
  }

  init(
    style: Style, write: @escaping @Sendable (String) -> Void,
    now: @escaping @Sendable () -> ContinuousClock.Instant
  ) {
    if case .plain(let every) = style {
      precondition(every > 0, "a line every \(every) steps is not possible")
    }
    self.style = style
    self.write = write
    self.now = now
  }

  /// Shows a step, when its turn has come.
  public func step(_ report: StepReport) {
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
      case .live:
        let isDue = state.lastDrawn.map { now - $0 >= Self.interval } ?? true
        if isDue || isLast { draw(&state) }
      }
    }
  }

  /// Shows an evaluation.
  public func evaluation(_ report: EvaluationReport) {
    show(colour: report.isBest ? Self.green : nil) { total in
      ProgressText.line(report, totalSteps: total)
    }
  }

  /// Shows an event.
  public func event(_ report: EventReport) {
    show(colour: report.kind.needsAttention ? Self.yellow : nil) { total in
      ProgressText.line(report, totalSteps: total)
    }
  }

  /// Shows the table.
  public func profile(_ report: ProfileReport) {
    show(colour: nil) { _ in report.table }
  }

  /// Leaves the last step's line standing.
  public func finish() {
    state.withLock { state in
      guard case .live = style, state.last != nil else { return }
      if !state.isDrawn { draw(&state) }
      write("\n")
      state.last = nil
      state.lastDrawn = nil
    }
  }

  // ECMA-48: erase to the end of the line; foreground colours; reset.
  private static let erase = "\u{1B}[K"
  private static let green = "\u{1B}[32m"
  private static let yellow = "\u{1B}[33m"
  private static let reset = "\u{1B}[0m"

  private func show(colour: String?, _ text: (Int?) -> String) {
    state.withLock { state in
      let line = text(state.last?.totalSteps)
      guard case .live(_, let hasColour) = style else { return write(line + "\n") }
      let coloured = colour.map { hasColour ? $0 + line + Self.reset : line } ?? line
      write((state.lastDrawn == nil ? "" : "\r" + Self.erase) + coloured + "\n")
      if state.last != nil { draw(&state) }
    }
  }

  private func draw(_ state: inout State) {
    guard case .live(let columns, _) = style, let report = state.last else { return }
    // A character in the last column makes some terminals begin a new line.
    let text = ProgressText.live(report, eta: Self.eta(state), width: columns() - 1)
    write("\r" + text + Self.erase)
    state.lastDrawn = state.lastTime
    state.isDrawn = true
  }

  /// Seconds to the last step, at the pace of this attempt.
  ///
  /// The pace is wall time over steps since the first report, so that evaluations and checkpoints
  /// count and the first step, which warms up, does not; until there is one, the step's own time.
  private static func eta(_ state: State) -> Double? {
    guard let last = state.last, let start = state.start, let time = state.lastTime else {
      return nil
    }
    let steps = last.step - start.step
    let pace = steps > 0 ? (time - start.time) / .seconds(1) / Double(steps) : last.secondsPerStep
    return pace * Double(max(0, last.totalSteps - last.step))
  }
}
