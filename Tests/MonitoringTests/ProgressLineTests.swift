import Foundation
import Glibc
import Testing

@testable import Monitoring

@Suite struct ProgressLineTests {
  private let clock = ManualClock()
  private let screen = Screen()

  private func line(_ style: ProgressLine.Style) -> ProgressLine {
    ProgressLine(
      style: style, write: { [screen] in screen.write($0) }, now: { [clock] in clock.now })
  }

  @Test func linesInAPipeAreOrdinary() throws {
    let line = line(.plain(every: 100))
    line.event(EventReport(.started, "Trains."))
    for step in 1...250 {
      line.step(report(step, of: 250))
      clock.advance(.milliseconds(100))
    }
    line.evaluation(evaluation(250, isBest: true))
    line.event(EventReport(.warning, step: 250, "Slow."))
    line.finish()
    let rest = "  loss 1.5123  lr 4.2e-04  norm 0.71  21.3k tok/s  64% of peak  eta "
    #expect(
      screen.take() == """
        start  Trains.
        step    1/250\(rest)0:05
        step  100/250\(rest)0:15
        step  200/250\(rest)0:05
        step  250/250\(rest)0:00
        eval  250/250  validation loss 1.4982  bits/byte 2.1614  consistentStories 0.910  12.3 s  best
        warning  250/250  Slow.

        """)
  }

  @Test func aTerminalHasOneLiveLine() {
    let line = line(.live(columns: { 81 }, colour: true))
    let live = { (step: Int, eta: String) in
      "\rstep  \(step)/2000  loss 1.5123  norm 0.71  21.3k tok/s  64% peak  eta \(eta)\u{1B}[K"
    }
    line.event(EventReport(.started, "Trains."))
    #expect(screen.take() == "start  Trains.\n")
    line.step(report(1000))
    #expect(screen.take() == live(1000, "0:21"))
    clock.advance(.milliseconds(50))
    line.step(report(1001))
    #expect(screen.take() == "")
    clock.advance(.milliseconds(50))
    line.step(report(1002))
    #expect(screen.take() == live(1002, "0:50"))
    line.evaluation(evaluation(1002))
    let plain = ProgressText.line(evaluation(1002), totalSteps: 2000)
    #expect(screen.take() == "\r\u{1B}[K\(plain)\n" + live(1002, "0:50"))
    line.evaluation(evaluation(1002, isBest: true))
    #expect(screen.take().hasPrefix("\r\u{1B}[K\u{1B}[32meval  "))
    line.event(EventReport(.checkpointSetAside, "Torn."))
    #expect(screen.take().hasPrefix("\r\u{1B}[K\u{1B}[33mset aside  Torn.\u{1B}[0m\n\r"))
    line.step(report(1003))
    #expect(screen.take() == "")
    line.finish()
    #expect(screen.take() == live(1003, "0:33") + "\n")
    line.finish()
    #expect(screen.take() == "")
  }

  /// A terminal keeps the lines that a pipe has.
  @Test func theLinesOfAPipeStayOnATerminal() {
    var kept: [[String]] = []
    let styles: [ProgressLine.Style] = [
      .plain(every: 100), .live(every: 100, columns: { 101 }, colour: false),
    ]
    for style in styles {
      let line = line(style)
      line.event(EventReport(.started, "Trains."))
      for step in 1...250 {
        line.step(report(step, of: 250))
        clock.advance(.milliseconds(100))
      }
      line.evaluation(evaluation(250))
      line.event(EventReport(.finished, step: 250, "Saved."))
      line.finish()
      // The text of each line after its last return to the first column.
      kept.append(
        screen.take().split(separator: "\n").map { line in
          let text = line.split(separator: "\r").last.map(String.init) ?? ""
          return text.replacing("\u{1B}[K", with: "")
        })
    }
    #expect(kept[0].count == 7 && kept[0] == kept[1], "\(kept)")
  }

  @Test(arguments: [
    String(repeating: "word ", count: 60), "a/" + String(repeating: "long", count: 40) + " end",
    "resuming from runs/" + String(repeating: "x", count: 62),
  ]) func anEventWrapsAtItsWords(sentence: String) {
    let text = ProgressText.line(
      EventReport(.finished, step: 7, sentence), totalSteps: 120, seconds: 61)
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.allSatisfy { $0.count <= 100 || !$0.dropFirst(16).contains(" ") }, "\(text)")
    #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("    ") })
    #expect(
      text.split(whereSeparator: \.isWhitespace).map(String.init)
        == ["done", "7/120"] + sentence.split(separator: " ").map(String.init) + ["after", "1:01"])
  }

  @Test func doneHasTheDurationAndNoLineBelow() {
    for style in [ProgressLine.Style.live(columns: { 81 }, colour: false), .plain(every: 1)] {
      let line = line(style)
      line.event(EventReport(.started, "Trains."))
      line.step(report(2000))
      clock.advance(.seconds(3723))
      line.event(EventReport(.finished, step: 2000, "Saved."))
      line.finish()
      let text = screen.take()
      #expect(text.hasSuffix("\ndone  2000/2000  Saved.  after 1:02:03\n"), "\(text)")
      #expect(text.contains("step  2000/2000  loss 1.5123"))
    }
  }

  @Test func theLastStepIsAlwaysShown() {
    let line = line(.live(columns: { 81 }, colour: false))
    line.step(report(1999))
    line.step(report(2000))
    #expect(screen.take().contains("\rstep  2000/2000  "))
    line.finish()
    #expect(screen.take() == "\n")
  }

  @Test func withoutColourThereAreNoEscapeSequences() {
    let line = line(.live(columns: { 81 }, colour: false))
    line.event(EventReport(.warning, "Careful."))
    line.evaluation(evaluation(3, isBest: true))
    #expect(!screen.take().contains("\u{1B}"))
  }

  @Test(arguments: [0, 1, 10, 20, 40, 60, 80, 200])
  func theLiveLineNeverWraps(columns: Int) {
    let line = line(.live(columns: { columns }, colour: true))
    line.step(report(1999))
    let text = screen.take().dropFirst().dropLast(3)
    #expect(text.count <= max(0, columns - 1))
  }

  @Test func terminalsWithoutCursorMovementAreNotLive() {
    #expect(Terminal.isLive(isTerminal: true, term: "xterm-256color"))
    #expect(!Terminal.isLive(isTerminal: true, term: "dumb"))
    #expect(!Terminal.isLive(isTerminal: true, term: ""))
    #expect(!Terminal.isLive(isTerminal: true, term: nil))
    #expect(!Terminal.isLive(isTerminal: false, term: "xterm"))
    // mpirun --tag-output writes "[1,0]<stderr>:" into the lines.
    #expect(Terminal.marksLines { $0 == "OMPI_MCA_orte_tag_output" ? "1" : nil })
    #expect(Terminal.marksLines { $0 == "OMPI_MCA_orte_timestamp_output" ? "true" : nil })
    #expect(!Terminal.marksLines { $0 == "OMPI_MCA_orte_tag_output" ? "0" : nil })
    #expect(!Terminal.marksLines { _ in nil })
    #expect(Terminal.columns(of: 2) > 0)
  }
}

@Suite struct LauncherTerminalTests {
  /// Only a terminal counts, and only that of Open MPI's launcher.
  @Test func aPipeOrAnotherParentIsNoTerminal() throws {
    let folder = FileManager.default.temporaryDirectory.path
    let (own, other) = ("\(folder)/comm-\(getpid())", "\(folder)/other-\(getpid())")
    try "mpirun\n".write(toFile: own, atomically: true, encoding: .utf8)
    try "bash\n".write(toFile: other, atomically: true, encoding: .utf8)
    defer { for path in [own, other] { unlink(path) } }
    var (leader, follower): (Int32, Int32) = (-1, -1)
    try #require(openpty(&leader, &follower, nil, nil, nil) == 0)
    defer { for descriptor in [leader, follower] { close(descriptor) } }
    let path = "/proc/self/fd/\(follower)"
    let found = try #require(Terminal.terminal(at: path, ofProgram: own))
    #expect(isatty(found) == 1)
    close(found)
    #expect(Terminal.terminal(at: path, ofProgram: other) == nil)
    #expect(Terminal.terminal(at: own, ofProgram: own) == nil)
    #expect(Terminal.terminal(at: "/proc/self/fd/9999", ofProgram: own) == nil)
    #expect(Terminal.terminal(at: path, ofProgram: "/proc/none/comm") == nil)
  }
}
