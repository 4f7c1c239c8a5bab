import Checkpoints
import Files
import Foundation
import Testing

@testable import Training

@Suite struct RunFolderTests {
  private func withFolder(_ body: (RunFolder) throws -> Void) throws {
    let path = "\(NSTemporaryDirectory())/apus-folder-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let folder = RunFolder("\(path)/deep/run")
    try folder.create()
    try body(folder)
  }

  private func publish(_ steps: [Int], in folder: RunFolder) throws {
    for step in steps {
      try FileManager.default.createDirectory(
        atPath: folder.checkpoint(step: step), withIntermediateDirectories: true)
    }
  }

  @Test func theStoreFindsCheckpointsByTheirPaths() throws {
    try withFolder { folder in
      try publish([7, 123_456_789], in: folder)
      #expect(try folder.checkpoints.publishedSteps() == [7, 123_456_789])
    }
  }

  @Test func writingTheConfigurationReplacesIt() throws {
    try withFolder { folder in
      try folder.write(configuration: "a: 1\n")
      try folder.write(configuration: "a: 2\n")
      #expect(try String(contentsOfFile: folder.configuration, encoding: .utf8) == "a: 2\n")
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      #expect(names == ["config.yaml"])
    }
  }

  @Test func allCheckpointsAreSetAsideWithTheirMetrics() throws {
    try withFolder { folder in
      try publish([2, 4], in: folder)
      try Data("{}\n".utf8).write(to: URL(fileURLWithPath: folder.metrics))
      let aside = try #require(try folder.setCheckpointsAside(after: nil, attempt: "x"))
      #expect(try folder.checkpoints.publishedSteps() == [])
      let names = try FileManager.default.contentsOfDirectory(atPath: aside).sorted()
      #expect(names == ["metrics.jsonl", "step-00000002", "step-00000004"])
    }
  }

  @Test func laterCheckpointsAreSetAsideWithoutTheMetrics() throws {
    try withFolder { folder in
      try publish([2, 4, 6], in: folder)
      try Data("{}\n".utf8).write(to: URL(fileURLWithPath: folder.metrics))
      _ = try folder.setCheckpointsAside(after: 2, attempt: "x")
      #expect(try folder.checkpoints.publishedSteps() == [2])
      #expect(FileManager.default.fileExists(atPath: folder.metrics))
      #expect(try folder.setCheckpointsAside(after: 2, attempt: "y") == nil)
    }
  }

  @Test func aFileInPlaceOfTheFolderIsAnError() throws {
    try withFolder { folder in
      try Data().write(to: URL(fileURLWithPath: folder.metrics))
      #expect(throws: StorageError.self) { try RunFolder(folder.metrics).create() }
      #expect(throws: StorageError.self) { try RunFolder("\(folder.metrics)/run").create() }
    }
  }
}
