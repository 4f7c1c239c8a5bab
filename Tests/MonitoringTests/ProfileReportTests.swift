import Foundation
import Testing

@testable import Monitoring

/// The profile of steps as a table and as a trace.
@Suite struct ProfileReportTests {
  private static func report(trace: String = "trace.json") -> ProfileReport {
    // Two steps of a second on two threads; each product runs at a quarter of the peak.
    let lane = { (name: String) in
      ProfileReport.Lane(
        name: name, computes: true,
        spans: [
          .init(name: "linear 2→3", phase: "forward", start: 0, duration: 1, operations: 25e9),
          .init(name: "linear 2→3", phase: "backward", start: 1, duration: 0.5, operations: 12.5e9),
          .init(name: "gelu", phase: "forward", start: 1.5, duration: 0.25, bytes: 1e9),
        ])
    }
    return ProfileReport(
      rank: 3, steps: 3...4, seconds: 2,
      lanes: [
        lane("worker 0"), lane("worker 1"),
        .init(
          name: "communication", computes: false,
          spans: [.init(name: "sum bucket", phase: "other", start: 0, duration: 2)]),
      ], peak: .init(products: 200e9, memory: 16e9), trace: trace)
  }

  @Test func theTableHasTimesAndRates() {
    let lines = Self.report().table.split(separator: "\n").map {
      $0.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
    }
    #expect(
      lines[0].joined(separator: " ").contains("steps 3–4 on rank 3: 1000.0 ms per step, 2 thr"))
    #expect(
      lines[1] == ["operation", "calls", "ms/step", "time", "GFLOP/s", "GB/s", "of", "peak"])
    #expect(lines[2] == ["linear", "2→3", "1", "1000.00", "50.0%", "50.0", "25%"])
    #expect(lines[3] == ["linear", "2→3", "backward", "1", "500.00", "25.0%", "50.0", "25%"])
    #expect(lines[4] == ["gelu", "1", "250.00", "12.5%", "8.0", "50%"])
    // The communication thread's two seconds are in no row.
    #expect(lines[5] == ["waiting", "250.00", "12.5%"])
    #expect(
      lines[6].joined(separator: " ").hasPrefix("matrix products: 37.5 GFLOP per step, 18.8%"))
    #expect(lines.count == 7)
  }

  @Test func theTraceHasTheChromeFormat() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("trace-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("trace.json").path
    // The bytes of an older, longer file must not remain.
    try String(repeating: "x", count: 100_000).write(
      toFile: path, atomically: true, encoding: .utf8)
    try Self.report(trace: path).writeTrace()
    let json = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
    let events = try #require((json as? [String: Any])?["traceEvents"] as? [[String: Any]])
    let work = events.filter { $0["ph"] as? String == "X" }
    #expect(work.count == 7 && work.allSatisfy { $0["pid"] as? Int == 3 })
    #expect(work.map { $0["tid"] as? Int } == [0, 0, 0, 1, 1, 1, 2])
    #expect(work[1]["ts"] as? Double == 1e6 && work[1]["dur"] as? Double == 5e5)
    #expect((work[0]["args"] as? [String: Double]) == ["GFLOP": 25])
    let names = events.filter { $0["name"] as? String == "thread_name" }
      .map { ($0["args"] as? [String: String])?["name"] }
    #expect(names == ["worker 0", "worker 1", "communication"])
  }

  @Test func anUnwritableTraceIsNamedInTheError() {
    #expect {
      try Self.report(trace: "/proc/nowhere/trace.json").writeTrace()
    } throws: {
      "\($0)".contains("/proc/nowhere/trace.json")
    }
  }
}
