import Configuration
import Foundation
import Testing

@Suite struct FileTests {
  private let folder = FileManager.default.temporaryDirectory
    .appending(path: "apus-configuration-\(UUID().uuidString)").path

  private func refused(_ bytes: [UInt8]) throws -> String {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/run.yaml"
    try Data(bytes).write(to: URL(filePath: path))
    return sentence { _ = try ConfigurationReader(path: path) }
      .replacing(folder + "/", with: "")
  }

  @Test func aFileIsRead() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/run.yaml"
    try Data("\u{FEFF}steps: 12\r\n".utf8).write(to: URL(filePath: path))
    var reader = try ConfigurationReader(path: path, overrides: ["seed=3"])
    #expect(try reader.integer("steps", default: 1, help: "") == 12)
    #expect(try reader.integer("seed", default: 1, help: "") == 3)
    try reader.finish()
  }

  @Test func unreadableFilesAreRefused() throws {
    #expect(
      sentence { _ = try ConfigurationReader(path: "/nowhere/run.yaml") }
        == "The configuration /nowhere/run.yaml cannot be read: No such file or directory; "
        + "check the path and its permissions.")
    #expect(sentence { _ = try ConfigurationReader(path: "/tmp") }.contains("Is a directory"))
    #expect(
      try refused(Array("a: 1\nb: ".utf8) + [0xFF, 0x0A])
        == "run.yaml line 2: the text is not UTF-8; save the file in UTF-8.")
    #expect(
      try refused([UInt8](repeating: 0x23, count: (1 << 20) + 1))
        == "The configuration run.yaml is larger than 1048576 bytes; check that it is the right "
        + "file.")
    #expect(try refused([0x61, 0x3A, 0x20, 0x00]).contains("not valid YAML"))
  }

  /// Any bytes give either options or an error with a sentence, without a crash or a hang.
  @Test func malformedFilesNeverCrash() throws {
    let seeds = [
      "model: {family: gpt2, betas: [0.9, 0.99]}\nsteps: &s 3\nrun: *s\n",
      "? a\n: - b\n", "%YAML 1.1\n", "a: |\n  x\n y\nb: >-\n", "'", "\"\\x", "\u{FEFF}", "!<tag> a",
      "&", "*", "-", "?", ":", "{", "]",
      "<<: 1", "a: &a [*a]", "--- \n...\n---", "\0",
    ]
    for seed in seeds {
      let bytes = Array(seed.utf8)
      for cut in 0...bytes.count {
        for byte: UInt8? in [nil, 0, 0x0A, 0x22, 0x7B, 0x2A, 0x3A] {
          let text = String(decoding: bytes[..<cut] + [byte].compactMap(\.self), as: UTF8.self)
          do {
            var reader = try reader(text)
            _ = try Options(&reader)
          } catch let error as ConfigurationError {
            #expect(!error.description.isEmpty)
          }
        }
      }
    }
  }
}
