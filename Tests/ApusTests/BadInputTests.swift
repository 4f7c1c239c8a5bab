import Foundation
import Testing

/// What a user can get wrong: one sentence that names it, the right exit code, nothing left behind.
@Suite(.serialized) struct BadInputTests {
  private struct Case {
    let name: String
    let arguments: [String]
    let code: Int32
    let words: [String]
  }

  @Test func everyMistakeHasItsSentence() throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(RunTests.corpus, to: "corpus.txt")
    try program.write(RunTests.yaml(), to: "run.yaml")
    try program.write(RunTests.yaml("optimiser: { learningRate: 1 }"), to: "misspelt.yaml")
    try program.write("steps: [1", to: "broken.yaml")
    try program.write("", to: "empty.txt")
    try program.write(Data([0x61, 0, 0x62]), to: "binary.txt")
    try program.write(Data([0x61, 0xFF, 0x62]), to: "latin.txt")
    try program.write("short", to: "short.txt")
    let set = { (values: [String]) in
      ["pretrain", "run.yaml"] + values.flatMap { ["--set", $0] }
    }
    let cases = [
      Case(
        name: "misspelt key", arguments: ["pretrain", "misspelt.yaml"], code: 2,
        words: ["optimiser", "optimizer", "misspelt.yaml"]),
      Case(name: "no file", arguments: ["pretrain", "none.yaml"], code: 2, words: ["none.yaml"]),
      Case(name: "YAML", arguments: ["pretrain", "broken.yaml"], code: 2, words: ["broken.yaml"]),
      Case(name: "type", arguments: set(["steps=many"]), code: 2, words: ["steps", "many"]),
      Case(name: "range", arguments: set(["steps=0"]), code: 2, words: ["steps", "0"]),
      Case(
        name: "power of two", arguments: set(["batch.microBatches=6"]), code: 2,
        words: ["microBatches", "power of two", "4", "8"]),
      Case(name: "heads", arguments: set(["model.heads=3"]), code: 2, words: ["heads", "16"]),
      Case(
        name: "missing corpus", arguments: set(["data.train=no.txt"]), code: 2, words: ["no.txt"]),
      Case(name: "empty", arguments: set(["data.train=empty.txt"]), code: 2, words: ["empty.txt"]),
      Case(
        name: "binary", arguments: set(["data.train=binary.txt"]), code: 2, words: ["binary.txt"]),
      Case(
        name: "encoding", arguments: set(["data.train=latin.txt"]), code: 2,
        words: ["latin.txt", "UTF-8"]),
      Case(
        name: "short", arguments: set(["data.train=short.txt", "data.validation=0"]), code: 2,
        words: ["context"]),
      Case(
        name: "tokenizer", arguments: set(["tokenizer=nowhere"]), code: 2, words: ["nowhere"]),
      Case(
        name: "resume", arguments: ["pretrain", "run.yaml", "--resume", "nowhere"], code: 2,
        words: ["nowhere"]),
      Case(
        name: "workers", arguments: ["pretrain", "run.yaml", "--threads", "4096"], code: 2,
        words: ["4096", "--oversubscribe"]),
      Case(
        name: "folder", arguments: set(["run=corpus.txt/run"]), code: 5, words: ["corpus.txt/run"]),
      Case(name: "option", arguments: ["pretrain", "--nonsense"], code: 64, words: ["nonsense"]),
      Case(name: "no model", arguments: ["generate", "nowhere"], code: 2, words: ["nowhere"]),
    ]
    for mistake in cases {
      let result = try program.run(mistake.arguments)
      #expect(result.code == mistake.code, "\(mistake.name): \(result.errors)")
      for word in mistake.words {
        #expect(result.errors.contains(word), "\(mistake.name): \(result.errors)")
      }
      #expect(!result.errors.contains("Fatal error"), "\(mistake.name)")
    }
  }

  @Test func aFullDiskEndsWithFive() throws {
    let program = try Program()
    defer { program.remove() }
    try program.write(RunTests.corpus, to: "corpus.txt")
    try program.write(RunTests.yaml(), to: "run.yaml")
    let disk = "\(program.folder)/disk"
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
    guard mount("-t", "tmpfs", "-o", "size=120k", "tmpfs", disk) else {
      print("SKIPPED: no permission to mount a small disk, so the full disk was not tried")
      return
    }
    defer { _ = shell("/bin/umount", [disk]) }
    let result = try program.run(["pretrain", "run.yaml", "--set", "run=disk/run"])
    #expect(result.code == 5, "\(result.errors)")
    #expect(result.errors.contains("disk"), "\(result.errors)")
    guard mount("-o", "remount,ro", disk) else { return }
    let readOnly = try program.run(["pretrain", "run.yaml", "--set", "run=disk/other"])
    #expect(readOnly.code == 5 && readOnly.errors.contains("read-only"), "\(readOnly.errors)")
  }

  private func mount(_ arguments: String...) -> Bool { shell("/bin/mount", arguments) }

  private func shell(_ path: String, _ arguments: [String]) -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }
}
