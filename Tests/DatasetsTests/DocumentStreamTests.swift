import Foundation
import Testing

@testable import Datasets

struct DocumentStreamTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  func read(_ name: String, _ bytes: some Sequence<UInt8>, limit: Int = 1 << 32) throws
    -> [String]
  {
    let file = try SourceFile(try scratch.write(name, bytes))
    return try documents([file], limit: limit).map(\.text)
  }

  func error(_ name: String, _ bytes: some Sequence<UInt8>, limit: Int = 1 << 32) -> DatasetError? {
    #expect(throws: DatasetError.self) { try read(name, bytes, limit: limit) }
  }

  @Test func aTextFileIsOneDocument() throws {
    #expect(try read("a.txt", "one\n\ntwo\r\n".utf8) == ["one\n\ntwo\r\n"])
    #expect(try read("bom.txt", [0xEF, 0xBB, 0xBF, 0x61]) == ["a"])
  }

  @Test func aLineIsADocument() throws {
    let text = """
      {"text": "one\\ntwo", "id": 1}

      {"id": 2, "text": "\\u00fc\\ud83d\\udc26"}\r
      {"text": ""}
      {"text":"last"}
      """
    #expect(try read("a.jsonl", text.utf8) == ["one\ntwo", "ü🐦", "", "last"])
    #expect(try read("b.jsonl", (text + "\n").utf8).count == 4)
    #expect(try read("c.jsonl", [0xEF, 0xBB, 0xBF] + Array(#"{"text":"a"}"#.utf8)) == ["a"])
  }

  @Test func theTextFieldCanBeChosen() throws {
    let file = try SourceFile(try scratch.write("a.jsonl", #"{"content": "x", "text": "y"}"#))
    #expect(try documents([file], textField: "content").map(\.text) == ["x"])
  }

  @Test func documentsAreNumberedOverFiles() throws {
    let files = [
      try SourceFile(try scratch.write("a.txt", "a")),
      try SourceFile(try scratch.write("b.jsonl", "{\"text\":\"b\"}\n{\"text\":\"c\"}\n")),
      try SourceFile(try scratch.write("c.txt", "d")),
    ]
    let all = try documents(files)
    #expect(all.map(\.index) == [0, 1, 2, 3])
    #expect(all.map(\.text) == ["a", "b", "c", "d"])
    #expect(all.map(\.source) == [files[0].path, files[1].path, files[1].path, files[2].path])
  }

  @Test func linesLongerThanTheBufferAreReadWhole() throws {
    let texts = [lines(700_000), "short", lines(300_000, salt: 1)]
    var bytes: [UInt8] = []
    for text in texts {
      bytes += Array(try JSONSerialization.data(withJSONObject: ["text": text])) + [0x0A]
    }
    #expect(try read("long.jsonl", bytes) == texts)
    #expect(try read("long.jsonl.gz", gzip(bytes)) == texts)
  }

  @Test func linesAcrossBufferBoundariesAreReadWhole() throws {
    // About 600 kB: the read buffer of 256 kB ends inside a line twice.
    let texts = (0..<8_000).map { "line \($0) " + String(repeating: "x", count: 50 + $0 % 7) }
    let file = texts.map { "{\"text\":\"\($0)\"}\n" }.joined()
    #expect(try read("short.jsonl", file.utf8) == texts)
  }

  @Test func gzipFilesAreInflated() throws {
    let text = lines(600_000)
    let bytes = Array(text.utf8)
    #expect(try read("a.txt.gz", gzip(bytes)) == [text])
    let half = text.utf8.count / 2
    let members = gzip(Array(bytes[..<half])) + gzip([]) + gzip(Array(bytes[half...]))
    #expect(try read("members.txt.gz", members) == [text])
    #expect(try read("tape.txt.gz", members + [UInt8](repeating: 0, count: 512)) == [text])
  }

  @Test func damagedGzipFilesAreReported() throws {
    let whole = gzip(Array(lines(200_000).utf8))
    for count in [1, 5, 11, whole.count / 2, whole.count - 1] {
      #expect(
        error("cut.txt.gz", whole[..<count]) == .truncatedGzip(path: scratch.path("cut.txt.gz")),
        "cut at \(count)")
    }
    #expect(error("plain.txt.gz", "plain".utf8) == .notGzip(path: scratch.path("plain.txt.gz")))
    #expect(error("none.txt.gz", []) == .emptyFile(path: scratch.path("none.txt.gz")))
    #expect(error("nothing.txt.gz", gzip([])) == .emptyFile(path: scratch.path("nothing.txt.gz")))
    var flipped = whole
    flipped[whole.count - 6] ^= 1
    #expect(
      error("crc.txt.gz", flipped)
        == .damagedGzip(path: scratch.path("crc.txt.gz"), reason: "incorrect data check"))
    #expect(
      error("tail.txt.gz", whole + Array("tail".utf8))
        == .damagedGzip(path: scratch.path("tail.txt.gz"), reason: "incorrect header check"))
  }

  @Test func emptyFilesBesideOthersAreCounted() throws {
    for (name, text) in [
      ("a.txt", ""), ("b.txt", "b"), ("c.jsonl", "\n"), ("d.txt.gz", ""), ("e.jsonl.gz", ""),
    ] {
      try scratch.write("folder/\(name)", Array(text.utf8))
    }
    var stream = DocumentStream(try SourceList([scratch.path("folder")]).files)
    #expect(try stream.next()?.text == "b" && stream.next() == nil)
    #expect(stream.skipped.count == 0)
    #expect(
      stream.skipped.emptyFilesNote
        == "4 empty files left out: \(scratch.path("folder/a.txt")) …")
    var empty = DocumentStream([try SourceFile(scratch.path("folder/a.txt"))])
    #expect(throws: DatasetError.emptyFile(path: scratch.path("folder/a.txt"))) {
      try empty.next()
    }
  }

  @Test func filesThatAreNotTextAreRefused() throws {
    #expect(error("a.txt", []) == .emptyFile(path: scratch.path("a.txt")))
    #expect(error("bom.txt", [0xEF, 0xBB, 0xBF]) == .emptyFile(path: scratch.path("bom.txt")))
    #expect(error("a.jsonl", "\n \r\n".utf8) == .emptyFile(path: scratch.path("a.jsonl")))
    #expect(error("b.txt", [0x61, 0, 0x62]) == .binary(path: scratch.path("b.txt"), offset: 1))
    #expect(
      error("elf.txt", [0x7F, 0x45, 0xFF, 0]) == .binary(path: scratch.path("elf.txt"), offset: 3))
    #expect(
      error("latin1.txt", [0x61, 0x62, 0xE9, 0x63])
        == .notUTF8(path: scratch.path("latin1.txt"), offset: 2))
    let good = Array("{\"text\":\"a\"}\n".utf8)
    #expect(
      error("c.jsonl", good + good + [0x7B, 0xFF])
        == .notUTF8(path: scratch.path("c.jsonl"), offset: 2 * good.count + 1))
    #expect(
      error("d.jsonl", good + [0x7B, 0x00])
        == .binary(path: scratch.path("d.jsonl"), offset: good.count + 1))
    #expect(
      error("e.txt.gz", gzip([0x61, 0xFF]))
        == .notUTF8(path: scratch.path("e.txt.gz"), offset: 1))
  }

  @Test func linesThatAreNotObjectsWithTextAreReported() throws {
    let path = scratch.path("a.jsonl")
    func error(_ line: String) -> DatasetError? {
      self.error("a.jsonl", "{\"text\":\"a\"}\n\n\(line)\n".utf8)
    }
    #expect(
      error(#"{"b": 1, "a": 2}"#)
        == .missingField(path: path, line: 3, field: "text", found: ["a", "b"]))
    #expect(error("{}") == .missingField(path: path, line: 3, field: "text", found: []))
    for (value, kind) in [
      ("1.5", "a number"), ("null", "null"), ("true", "true or false"), ("[1]", "an array"),
      ("{}", "an object"),
    ] {
      #expect(
        error("{\"text\": \(value)}")
          == .fieldNotText(path: path, line: 3, field: "text", found: kind))
    }
    for line in [
      #"{"text": "a""#, "[1]", "\"text\"", "text", #"{"text": "a"} x"#, #"{"text": "\ud83d"}"#,
      String(repeating: "[", count: 100_000), #"{"text": "a"}{"text": "b"}"#,
    ] {
      guard case .brokenJSON(path, 3, let reason) = error(line) else {
        Issue.record("\(line.prefix(20)): \(String(describing: error(line)))")
        continue
      }
      #expect(!reason.isEmpty && !reason.hasSuffix("."))
    }
  }

  @Test func documentsOverTheLimitAreRefused() throws {
    let path = scratch.path("a.txt.gz")
    let zeros = [UInt8](repeating: 0x61, count: 5_000_000)
    #expect(
      error("a.txt.gz", gzip(zeros), limit: 1000)
        == .documentTooLarge(path: path, line: nil, limit: 1000))
    #expect(
      error("b.jsonl.gz", gzip(Array("{\"text\":\"\"}\n".utf8) + zeros), limit: 1000)
        == .documentTooLarge(path: scratch.path("b.jsonl.gz"), line: 2, limit: 1000))
  }

  @Test func aMissingFileIsReported() throws {
    let file = try SourceFile(try scratch.write("a.txt", "a"))
    try FileManager.default.removeItem(atPath: file.path)
    #expect(throws: DatasetError.missing(path: file.path)) { try documents([file]) }
  }

  @Test func badLinesAreLeftOutAndCounted() throws {
    let scratch = try Scratch()
    let lines = [
      #"{"text": "a"}"#, "not JSON", #"{"title": "b"}"#, #"{"text": 7}"#, #"{"text": "c"}"#,
    ]
    let path = try scratch.write(
      "a.jsonl", Array(lines.joined(separator: "\n").utf8) + [0x0A, 0xFF, 0x0A])
    let files = [try SourceFile(path)]
    var strict = DocumentStream(files)
    _ = try strict.next()
    #expect(throws: DatasetError.self) { try strict.next() }
    var stream = DocumentStream(files, skipsBad: true)
    var texts: [String] = []
    while let document = try stream.next() {
      texts.append(String(decoding: document.bytes, as: UTF8.self))
    }
    #expect(texts == ["a", "c"] && stream.skipped.count == 4 && stream.skipped.first.count == 3)
  }
}
