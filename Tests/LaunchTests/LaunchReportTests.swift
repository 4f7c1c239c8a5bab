import Files
import TestFolders
import Testing

@testable import Launch

/// The progress of a run, and the use of its time.
@Suite struct LaunchReportTests {
  private static func line(_ step: Int, at time: Double) -> String {
    #"{"step":\#(step),"loss":1.5,"secondsPerStep":2,"secondsExposed":0.5,"time":\#(time)}"# + "\n"
  }

  @Test func aRunHasTheProgressOfItsFolder() throws {
    let folder = try TemporaryFolder()
    #expect(RunState(folder: folder("none")).step == 0)
    for name in ["step-00000004", "step-00000008", "step-00000012.a.tmp", "step-00000009.damaged"] {
      try FileSystem.makeFolder(folder("checkpoints/\(name)"))
    }
    var state = RunState(folder: folder.path)
    #expect(state.step == 8 && state.checkpoints.map(\.step) == [4, 8])
    let text = (1...9).map { Self.line($0, at: Double($0)) }.joined() + #"{"step":10,"#
    try folder.write(text.utf8, to: "metrics.jsonl")
    state = RunState(folder: folder.path)
    #expect(state.step == 9)
    // The folder of a recipe contains those of its stages.
    try FileSystem.makeFolder(folder("chat/checkpoints/step-00000003"))
    state = RunState(folder: folder.path)
    #expect(state.step == 12 && state.stages.map(\.name) == ["", "chat"])
    #expect(state.stages.map { $0.checkpoints.map(\.step) } == [[4, 8], [3]])
  }

  @Test func theEndOfALargeFileIsRead() throws {
    let folder = try TemporaryFolder()
    let text = (1...2_000).map { Self.line($0, at: 1e9 + Double($0)) }.joined()
    try folder.write(text.utf8, to: "metrics.jsonl")
    let path = folder("metrics.jsonl")
    #expect(MetricsTail.lines(of: path, count: 1).map(\.step) == [2_000])
    #expect(MetricsTail.lines(of: path, since: 1e9 + 1_991).map(\.step) == Array(1_991...2_000))
    #expect(MetricsTail.lines(of: path).map(\.step) == Array(1...2_000))
    #expect(MetricsTail.lines(of: path, since: 1e9 + 234.5).first?.step == 235)
  }

  @Test func theTimeOfAnAttemptIsDividedByItsCauses() {
    var record = AttemptRecord(attempt: 1, start: 100, end: 120, hosts: ["a:2"], exitCode: 137)
    // From 103 to 113 five steps of 2 s, then an evaluation of 1 s; 2 s are spent otherwise.
    var lines = (1...5).map {
      MetricsTail.Line(
        step: $0, time: 103 + 2 * Double($0) + ($0 > 3 ? 2 : 0), secondsPerStep: 2,
        secondsExposed: 0.5)
    }
    lines.append(MetricsTail.Line(step: 5, time: 116, evaluationSeconds: 1))
    record.divideTime([.init(lines: lines, kept: 4)], cooldown: 5)
    let seconds = record.seconds
    #expect(record.firstStep == 1 && record.lastStep == 5)
    #expect(seconds.cooldown == 5 && seconds.restart == 3 && seconds.useful == 8)
    #expect(seconds.waiting == 2 && seconds.lost == 2 + 1 + 4 && seconds.other == 2)
    #expect(seconds.wall == 25)
    var report = LaunchReport()
    report.append(record)
    #expect(
      report.summary == "1 attempt, 25.0 s: useful 8.0 s (32 %), of it waiting for other ranks "
        + "2.0 s (8 %), start 3.0 s (12 %), lost work 7.0 s (28 %), cool-down 5.0 s (20 %), "
        + "checkpoints and other 2.0 s (8 %).")
    record.divideTime([.init(lines: lines, kept: nil)], cooldown: 0)
    #expect(record.seconds.lost == 0 && record.seconds.useful == 11)
    for work in [[], [AttemptRecord.Work(lines: [], kept: 0)]] {
      record.divideTime(work, cooldown: 0)
      #expect(record.seconds.restart == 20 && record.seconds.wall == 20)
    }
  }

  /// A stage that is done has lost nothing; a command between two stages is no work of a step.
  @Test func theTimeOfARecipeIsDividedByItsStages() {
    var record = AttemptRecord(attempt: 1, start: 100, end: 130, hosts: ["a:2"], exitCode: 137)
    func lines(_ steps: ClosedRange<Int>, from time: Double) -> [MetricsTail.Line] {
      steps.map {
        .init(
          step: $0, time: time + 2 * Double($0 - steps.lowerBound + 1), secondsPerStep: 2,
          secondsExposed: 0.5)
      }
    }
    record.divideTime(
      [
        .init(stage: "chat", lines: lines(1...4, from: 115), kept: 3),
        .init(stage: "base", lines: lines(7...10, from: 104), kept: 10),
      ], cooldown: 0)
    #expect(record.stage == "chat" && record.firstStep == 1 && record.lastStep == 4)
    #expect(record.seconds.restart == 4 && record.seconds.useful == 14)
    #expect(record.seconds.lost == 2 + 7 && record.seconds.other == 3)
    var report = LaunchReport()
    report.append(record)
    #expect(report.lines[0].contains(", chat steps 1–4, exit code 137"), "\(report.lines)")
  }
}
