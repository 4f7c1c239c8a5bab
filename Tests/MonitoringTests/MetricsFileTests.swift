import Files
import Foundation
import Testing

@testable import Monitoring

@Suite struct MetricsFileTests {
  @Test func linesHaveTheDocumentedForm() throws {
    try withFolder { folder in
      let path = folder + "/metrics.jsonl"
      let metrics = try MetricsFile(path: path, resumingAfter: nil, date: { 1_764_469_000.25 })
      var odd = report(2, loss: .nan, peakFraction: nil)
      odd.gradientNorm = .infinity
      odd.figures = [Figure("reward", 0.1 + 0.2)]
      try metrics.step(report(1))
      try metrics.step(odd)
      try metrics.evaluation(evaluation(2, isBest: true))
      try metrics.finish()
      let timings = """
        "secondsCompute":0.018,"secondsExchange":0.004,"secondsExposed":0.001,\
        "secondsOptimizer":0.002,"secondsData":0.00025
        """
      #expect(
        try text(path) == """
          {"step":1,"loss":1.51234,"learningRate":0.00042,"gradientNorm":0.714,"tokens":768,\
          "tokensSeen":768,"tokensPerSecond":21345.0,"secondsPerStep":0.02125,\(timings),\
          "peakFraction":0.64,"bytesSent":1234567,"memoryBytes":98765432,"time":1764469000.25}
          {"step":2,"loss":null,"learningRate":0.00042,"gradientNorm":null,"tokens":768,\
          "tokensSeen":1536,"tokensPerSecond":21345.0,"secondsPerStep":0.02125,\(timings),\
          "peakFraction":null,"bytesSent":1234567,"memoryBytes":98765432,"reward":0.30000000000000004,"time":1764469000.25}
          {"step":2,"validationLoss":1.49817,"bitsPerByte":2.16141,"evaluationTokens":111540,\
          "evaluationSeconds":12.34,"isBest":true,"consistentStories":0.91,"time":1764469000.25}

          """)
      for line in try text(path).split(separator: "\n") {
        _ = try JSONSerialization.jsonObject(with: Data(line.utf8))
      }
    }
  }

  @Test func skippedStepsHaveTheDocumentedForm() throws {
    try withFolder { folder in
      let path = folder + "/metrics.jsonl"
      let metrics = try MetricsFile(path: path, resumingAfter: nil, date: { 1 })
      var step = report(7, loss: .nan)
      step.skipped = "its loss is nan"
      try metrics.step(step)
      try metrics.skip(SkipReport(first: 8, last: 9, reason: "undone"))
      try metrics.skip(SkipReport(first: 12, last: 12, reason: "high", loss: 9.5, gradientNorm: 2))
      let lines = try text(path).split(separator: "\n")
      #expect(lines[0].contains(#","skipped":"its loss is nan","#))
      #expect(lines[1] == #"{"step":9,"firstSkipped":8,"skipped":"undone","time":1.0}"#)
      #expect(
        lines[2]
          == #"{"step":12,"firstSkipped":12,"loss":9.5,"gradientNorm":2.0,"skipped":"high","time":1.0}"#
      )
    }
  }

  /// Lines that are not yet written are of later steps than the last durable one.
  @Test func aFileGoesBackToAStep() throws {
    try withFolder { folder in
      let path = folder + "/metrics.jsonl"
      let metrics = try MetricsFile(path: path, resumingAfter: nil)
      func steps() throws -> [String] {
        try text(path).split(separator: "\n").map { String($0.prefix { $0 != "," }) }
      }
      for step in 1...4 { try metrics.step(report(step)) }
      try metrics.persist()
      for step in 5...6 { try metrics.step(report(step)) }
      try metrics.rewind(to: 3)
      try metrics.skip(SkipReport(first: 4, last: 6, reason: "undone"))
      try metrics.step(report(7))
      try metrics.finish()
      #expect(try steps() == [1, 2, 3, 6, 7].map { "{\"step\":\($0)" })
      try metrics.rewind(to: nil)
      #expect(try steps() == [])
    }
  }

  @Test func linesAreWrittenAfterATenthOfASecondAnEventOr64Lines() throws {
    try withFolder { folder in
      let path = folder + "/metrics.jsonl"
      let clock = ManualClock()
      let metrics = try MetricsFile(path: path, resumingAfter: nil, now: { clock.now })
      func lines() throws -> Int { try text(path).split(separator: "\n").count }
      try metrics.step(report(1))
      clock.advance(.milliseconds(99))
      try metrics.step(report(2))
      #expect(try lines() == 0)
      clock.advance(.milliseconds(1))
      try metrics.step(report(3))
      #expect(try lines() == 3)
      try metrics.step(report(4))
      #expect(try lines() == 3)
      try metrics.evaluation(evaluation(4))
      #expect(try lines() == 5)
      try metrics.step(report(5))
      try metrics.event(EventReport(.checkpointSaved, step: 5, "Saved."))
      #expect(try lines() == 6)
      for step in 6..<69 { try metrics.step(report(step)) }
      #expect(try lines() == 6)
      try metrics.step(report(69))
      #expect(try lines() == 70)
      try metrics.step(report(70))
      try metrics.finish()
      #expect(try lines() == 71)
    }
  }

  /// The file of an interrupted run: steps 1 to 6, evaluations after 2, 4 and 6.
  private func interrupted(_ path: String, tail: String = "") throws -> [String] {
    let metrics = try MetricsFile(path: path, resumingAfter: nil, date: { 0 })
    for step in 1...6 {
      try metrics.step(report(step))
      if step % 2 == 0 { try metrics.evaluation(evaluation(step)) }
    }
    try metrics.finish()
    let whole = try text(path)
    try Data((whole + tail).utf8).write(to: URL(filePath: path))
    return whole.split(separator: "\n").map { $0 + "\n" }
  }

  @Test(arguments: [(0, 0), (1, 1), (2, 3), (3, 4), (4, 6), (5, 7), (6, 9), (9, 9)])
  func aResumedRunReadsAsOne(step: Int, kept: Int) throws {
    try withFolder { folder in
      let path = folder + "/metrics.jsonl"
      let lines = try interrupted(path)
      let metrics = try MetricsFile(path: path, resumingAfter: step, date: { 0 })
      #expect(try text(path) == lines.prefix(kept).joined())
      for next in min(step, 6)..<6 {
        try metrics.step(report(next + 1))
        if (next + 1) % 2 == 0 { try metrics.evaluation(evaluation(next + 1)) }
      }
      try metrics.finish()
      #expect(try text(path) == lines.joined())
    }
  }

  @Test(arguments: [
    "{\"step\":7,\"loss\":1.2", "{\"step\":7,\"loss\":1.2}", "{", "\0\0\0\0", "garbage\n", "\n\n",
    "{\"step\":}\n", "{\"step\":99999999999999999999,\"loss\":1}\n", "{\"step\":7\n",
  ])
  func aTornLastLineIsRemoved(tail: String) throws {
    try withFolder { folder in
      let path = folder + "/metrics.jsonl"
      let lines = try interrupted(path, tail: tail)
      _ = try MetricsFile(path: path, resumingAfter: 10)
      #expect(try text(path) == lines.joined())
    }
  }

  @Test func aFileCutAnywhereKeepsItsCompleteLines() throws {
    try withFolder { folder in
      let path = folder + "/metrics.jsonl"
      let lines = try interrupted(path)
      let bytes = Array(lines.joined().utf8)
      for cut in stride(from: 0, through: bytes.count, by: 37) {
        try Data(bytes[..<cut]).write(to: URL(filePath: path))
        _ = try MetricsFile(path: path, resumingAfter: 4)
        var expected = ""
        for line in lines.prefix(6) {
          guard expected.utf8.count + line.utf8.count <= cut else { break }
          expected += line
        }
        #expect(try text(path) == expected)
      }
    }
  }

  @Test func damageBeforeTheLastKeptLineStays() throws {
    try withFolder { folder in
      let path = folder + "/metrics.jsonl"
      let lines = ["{\"step\":1,\"loss\":1}\n", "\0\0\n", "{ \"step\" : 2 }\n", "{\"step\":3}\n"]
      try Data(lines.joined().utf8).write(to: URL(filePath: path))
      _ = try MetricsFile(path: path, resumingAfter: 2)
      #expect(try text(path) == lines.prefix(3).joined())
    }
  }

  @Test func aFreshRunKeepsNothing() throws {
    try withFolder { folder in
      let path = folder + "/metrics.jsonl"
      _ = try interrupted(path)
      _ = try MetricsFile(path: path, resumingAfter: nil)
      #expect(try text(path) == "")
      _ = try MetricsFile(path: folder + "/fresh.jsonl", resumingAfter: 5)
      #expect(try text(folder + "/fresh.jsonl") == "")
    }
  }

  @Test func failuresAreStorageErrors() throws {
    #expect(
      throws: MonitoringError.storage(
        .call(operation: "create", path: "/nowhere/metrics.jsonl", code: ENOENT))
    ) { try MetricsFile(path: "/nowhere/metrics.jsonl", resumingAfter: nil) }
    let full = StorageError.call(operation: "write", path: "/dev/full", code: ENOSPC)
    #expect(
      MonitoringError(full).description
        == "/dev/full: cannot write the file: No space left on device; free some space or "
        + "check the permissions, and run the same command again to resume.")
  }
}
