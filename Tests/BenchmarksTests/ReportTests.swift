import Foundation
import Testing

@testable import Benchmarks

struct ReportTests {
  private let machine = Machine(
    processor: "EPYC", cores: 2, threads: 2, memoryBytes: 1, system: "Linux",
    versions: ["MPI": "Open MPI 4"], commit: nil)

  private func report(_ values: [String: Double]) -> Report {
    Report(
      machine: machine,
      figures: values.sorted { $0.key < $1.key }.map {
        BenchmarkFigure(
          name: $0.key, title: $0.key, subject: "machine", unit: "GB/s", values: [$0.value])
      })
  }

  private func withFolder(_ body: (ReportFolder) throws -> Void) throws {
    let folder = ReportFolder(path: NSTemporaryDirectory() + "apus-bench-\(UUID().uuidString)")
    try folder.create()
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    try body(folder)
  }

  @Test func theLastReportIsKeptAsThePrevious() throws {
    try withFolder { folder in
      #expect(try folder.read() == nil)
      let (first, second) = (report(["memory": 20]), report(["memory": 25]))
      try folder.write(first)
      #expect(try folder.read() == first)
      #expect(!FileManager.default.fileExists(atPath: folder.previous))
      try folder.write(second)
      #expect(try folder.read() == second)
      let data = try #require(FileManager.default.contents(atPath: folder.previous))
      #expect(try JSONDecoder().decode(Report.self, from: data) == first)
    }
  }

  @Test func aPartialRunKeepsTheOtherFigures() {
    let earlier = report(["memory": 20, "product": 100])
    let filled = report(["memory": 25]).filled(from: earlier)
    #expect(filled.figure("memory")?.median == 25 && filled.figure("product")?.median == 100)
    var elsewhere = earlier
    elsewhere.machine.processor = "Xeon"
    #expect(report(["memory": 25]).filled(from: elsewhere).figures.count == 1)
  }

  @Test func aDamagedReportIsRefused() throws {
    try withFolder { folder in
      try Data("{".utf8).write(to: URL(fileURLWithPath: folder.latest))
      let refusal = #expect(throws: Refusal.self) { try folder.read() }
      #expect(refusal?.description.contains("remove it") == true && refusal?.code == 2)
    }
  }
}
