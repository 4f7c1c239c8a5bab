import Testing

@testable import Checkpoints

@Suite struct CheckpointErrorTests {
  @Test func everyMessageIsOneLineWithItsPath() {
    let errors: [CheckpointError] = [
      .noModel(path: "PATH", reason: "r"), .notACheckpoint(path: "PATH", reason: "r"),
      .damaged(path: "PATH", reason: "r"),
      .unknownVersion(path: "PATH", found: 2, supported: 1),
      .otherModel(path: "PATH", faults: ["width is 2, not 1"]),
      .badSafeTensors(path: "PATH", reason: "r"), .missingTensor(path: "PATH", name: "n"),
    ]
    for sentence in errors.map(\.description) {
      #expect(sentence.contains("PATH") && sentence.contains("; "), "\(sentence)")
      #expect(!sentence.contains("\n"))
    }
  }
}
