import Files
import Foundation
import RandomNumbers
import TestFolders
import Testing

@testable import Checkpoints

@Suite struct SafeTensorsFileTests {
  /// Writes a file with this header and `dataSize` zero bytes, and opens it.
  private func open(_ header: String, dataSize: Int = 0) throws -> SafeTensorsFile {
    let folder = try TemporaryFolder()
    let bytes = Array(header.utf8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: bytes.count >> ($0 * 8)) }
    try folder.write(length + bytes + [UInt8](repeating: 0, count: dataSize), to: "a")
    return try SafeTensorsFile(path: folder("a"))
  }

  private func fault(_ header: String, dataSize: Int = 0) throws -> String {
    do {
      _ = try open(header, dataSize: dataSize)
    } catch CheckpointError.badSafeTensors(_, let reason) {
      return reason
    }
    return "none"
  }

  @Test func validFilesAreRead() throws {
    #expect(try open("{}").names.isEmpty)
    #expect(try open(" { } ".trimmingCharacters(in: .whitespaces) + "   ").names.isEmpty)
    // The header's order differs from that of the data; empty tensors share an offset; scalars.
    let file = try open(
      """
      {"b":{"dtype":"I8","shape":[],"data_offsets":[4,5]},\
      "z\\u0065\\ud83d\\udc26\\n":{"data_offsets":[4,4],"shape":[0,9],"dtype":"F64"},
       "a" : {"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"__metadata__":{"k":"v"}}
      """, dataSize: 5)
    #expect(file.names == ["a", "ze🐦\n", "b"])
    #expect(file.metadata == ["k": "v"])
    let empty = try file.tensor(named: "ze🐦\n")
    #expect(empty.shape == [0, 9] && empty.bytes.isEmpty && empty.dtype == .f64)
    #expect(try file.tensor(named: "b").shape.isEmpty)
    #expect(throws: CheckpointError.missingTensor(path: file.path, name: "c")) {
      _ = try file.tensor(named: "c")
    }
  }

  private static func tensor(_ dtype: String, _ shape: String, _ offsets: String) -> String {
    "{\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
  }

  @Test(arguments: [
    ("", "does not start with {"),
    (" {}", "does not start with {"),
    ("[]", "does not start with {"),
    ("{", "expected \""),
    ("{}}", "unexpected text"),
    ("{}\u{0}", "unexpected text"),
    ("{\"a\":\(tensor("I8", "[1]", "[0,1]")),}", "expected \""),
    ("{\"a\":\(tensor("I8", "[1]", "[0,1]")),\"a\":\(tensor("I8", "[0]", "[1,1]"))}", "twice"),
    (
      "{\"a\":\(tensor("I8", "[1]", "[0,1]")),\"\\u0061\":\(tensor("I8", "[0]", "[1,1]"))}",
      "twice"
    ),
    ("{\"__metadata__\":{},\"__metadata__\":{}}", "twice"),
    ("{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}", "twice"),
    ("{\"__metadata__\":{\"a\":1}}", "expected \""),
    ("{\"a\":\(tensor("F128", "[1]", "[0,1]"))}", "unknown dtype F128"),
    ("{\"a\":\(tensor("I8", "[2]", "[0,2]"))}", "take 2 bytes and the file holds 1"),
    ("{\"a\":\(tensor("I8", "[0]", "[0,0]"))}", "take 0 bytes and the file holds 1"),
    ("{\"a\":\(tensor("I8", "[2]", "[0,1]"))}", "does not fill"),
    ("{\"a\":\(tensor("F32", "[1]", "[0,1]"))}", "does not fill"),
    ("{\"a\":\(tensor("I8", "[1]", "[1,0]"))}", "impossible"),
    ("{\"a\":\(tensor("I8", "[1]", "[0]"))}", "impossible"),
    ("{\"a\":\(tensor("I8", "[1]", "[0,1,2]"))}", "impossible"),
    ("{\"a\":\(tensor("I8", "[0]", "[1,1]"))}", "leaves a hole"),
    (
      "{\"a\":\(tensor("I8", "[1]", "[0,1]")),\"b\":\(tensor("I8", "[1]", "[0,1]"))}", "overlaps"
    ),
    ("{\"a\":\(tensor("I8", "[4294967296,4294967296]", "[0,0]"))}", "does not fill"),
    ("{\"a\":\(tensor("I64", "[2305843009213693952]", "[0,0]"))}", "does not fill"),
    ("{\"a\":\(tensor("I8", "[9223372036854775808]", "[0,1]"))}", "too large"),
    ("{\"a\":\(tensor("I8", "[99999999999999999999]", "[0,1]"))}", "too large"),
    ("{\"a\":\(tensor("I8", "[-1]", "[0,1]"))}", "whole number"),
    ("{\"a\":\(tensor("I8", "[1.0]", "[0,1]"))}", "expected ]"),
    ("{\"a\":\(tensor("I8", "[1e0]", "[0,1]"))}", "expected ]"),
    ("{\"a\":\(tensor("I8", "[01]", "[0,1]"))}", "starts with 0"),
    ("{\"a\":\(tensor("I8", "[1", "[0,1]"))}", "whole number"),
    ("{\"a\":{\"dtype\":\"I8\",\"shape\":[1]}}", "lacks"),
    ("{\"a\":{\"dtype\":\"I8\",\"dtype\":\"I8\"}}", "unexpected field dtype"),
    ("{\"a\":{\"stride\":1}}", "unexpected field stride"),
    ("{\"a\":1}", "expected {"),
    ("{\"a", "has no end"),
    ("{\"a\\", "has no end"),
    ("{\"\\x\":1}", "unknown escape"),
    ("{\"\\u12\":1}", "hexadecimal"),
    ("{\"\\ud800\":1}", "surrogate"),
    ("{\"\\ud800\\u0041\":1}", "surrogate"),
    ("{\"\\udc00\":1}", "surrogate"),
    ("{\"a\n\":1}", "control character"),
  ])
  func invalidHeadersAreRefused(header: String, reason: String) throws {
    let found = try fault(header, dataSize: 1)
    #expect(found.contains(reason), "\(found)")
  }

  @Test func deepNestingIsRefused() throws {
    let deep = String(repeating: "{\"a\":", count: 100_000)
    #expect(try fault(deep).contains("unexpected field"))
    let brackets = "{\"a\":{\"shape\":" + String(repeating: "[", count: 100_000)
    #expect(try fault(brackets).contains("whole number"))
    let ones = "[" + String(repeating: "1,", count: 100_000) + "1]"
    let wide = try fault("{\"a\":\(Self.tensor("I8", ones, "[0,2]"))}", dataSize: 2)
    #expect(wide.contains("tensor a has 100001 dimensions") && wide.utf8.count < 1000)
    let offsets = try fault("{\"a\":\(Self.tensor("I8", "[1]", ones))}")
    #expect(offsets.contains("impossible data_offsets") && offsets.utf8.count < 1000)
  }

  @Test func namesThatAreNotUTF8AreRefused() throws {
    let folder = try TemporaryFolder()
    try folder.write([5, 0, 0, 0, 0, 0, 0, 0] + Array("{\"".utf8) + [0xFF, 0x22, 0x3A], to: "a")
    #expect(throws: CheckpointError.self) { try SafeTensorsFile(path: folder("a")) }
  }

  @Test func headerLengthsBeyondTheFileAreRefused() throws {
    let folder = try TemporaryFolder()
    for length in [3, 100_000_001, UInt64(Int.max), UInt64.max] {
      let bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) }
      try folder.write(bytes + Array("{}".utf8), to: "a")
      #expect(throws: CheckpointError.self) { try SafeTensorsFile(path: folder("a")) }
    }
  }

  @Test func pathsThatAreNotFilesAreRefused() throws {
    let folder = try TemporaryFolder()
    #expect(throws: CheckpointError.self) { try SafeTensorsFile(path: folder.path) }
    #expect(throws: StorageError.call(operation: "open", path: folder("a"), code: ENOENT)) {
      try SafeTensorsFile(path: folder("a"))
    }
    #expect(throws: CheckpointError.self) { try SafeTensorsFile(path: "/dev/zero") }
  }

  @Test func everyTruncationIsRefused() throws {
    let folder = try TemporaryFolder()
    let whole = SafeTensorsWriterTests.golden
    for count in whole.indices {
      try folder.write(whole.prefix(count), to: "a")
      #expect(throws: CheckpointError.self) { try SafeTensorsFile(path: folder("a")) }
    }
    try folder.write(whole + [0], to: "a")
    #expect(throws: CheckpointError.self) { try SafeTensorsFile(path: folder("a")) }
  }

  /// For every flipped byte, the file is refused or every tensor lies inside it.
  @Test func flippedBytesNeverGiveTensorsOutsideTheFile() throws {
    let folder = try TemporaryFolder()
    var random = RandomSequence(RandomStream(seed: 1, purpose: .probe))
    var refused = 0
    for index in 0..<600 {
      var bytes = SafeTensorsWriterTests.golden
      bytes[index % 224] ^= UInt8.random(in: 1...255, using: &random)
      try folder.write(bytes, to: "a")
      do {
        let file = try SafeTensorsFile(path: folder("a"))
        for name in file.names {
          let tensor = try file.tensor(named: name)
          #expect(tensor.dtype.byteCount(shape: tensor.shape) == tensor.bytes.count)
          _ = tensor.bytes.reduce(0, &+)
        }
      } catch is CheckpointError {
        refused += 1
      }
    }
    #expect(refused > 300, "\(refused)")
  }
}
