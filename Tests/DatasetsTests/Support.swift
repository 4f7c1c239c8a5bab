import CZlib
import Foundation
import RandomNumbers
import Tokenizers

@testable import Datasets

/// A temporary folder for one test, removed when it is released.
final class Scratch {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "apus-datasets-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func path(_ name: String) -> String { path + "/" + name }

  @discardableResult
  func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
    let target = path(name)
    let folder = (target as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: target))
    return target
  }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    try write(name, Array(text.utf8))
  }

  func read(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }

  /// Returns the names in the folder, sorted.
  func names(_ folder: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(folder)).sorted()
  }
}

/// Returns one gzip member with the content `bytes`.
func gzip(_ bytes: [UInt8]) -> [UInt8] {
  var input = bytes
  var output = [UInt8](repeating: 0, count: bytes.count + bytes.count / 100 + 128)
  var stream = z_stream()
  deflateInit2_(
    &stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
    Int32(MemoryLayout<z_stream>.size))
  let count = input.withUnsafeMutableBufferPointer { source in
    output.withUnsafeMutableBufferPointer { target in
      stream.next_in = source.baseAddress
      stream.avail_in = UInt32(source.count)
      stream.next_out = target.baseAddress
      stream.avail_out = UInt32(target.count)
      precondition(deflate(&stream, Z_FINISH) == Z_STREAM_END)
      return Int(stream.total_out)
    }
  }
  deflateEnd(&stream)
  return Array(output[..<count])
}

/// A tokenizer whose ids are the bytes; 256 ends a document, and ids from 256 on are special.
struct Bytes: Tokenizer {
  var vocabularySize = 257
  let endOfText: TokenID = 256

  func encode(_ bytes: UnsafeBufferPointer<UInt8>) -> [TokenID] { bytes.map { TokenID($0) } }

  func bytes(of id: TokenID) throws(TokenizerError) -> [UInt8] {
    guard id >= 0, id < vocabularySize else {
      throw .unknownID(id: id, vocabularySize: vocabularySize)
    }
    return id < 256 ? [UInt8(id)] : Array("<|endoftext|>".utf8)
  }

  func isSpecial(_ id: TokenID) -> Bool { id >= 256 }
}

/// Returns all documents of `files`.
func documents(
  _ files: [SourceFile], textField: String = "text", limit: Int = 1 << 32
) throws(DatasetError) -> [Document] {
  var stream = DocumentStream(files, textField: textField, documentLimit: limit)
  var documents: [Document] = []
  while let document = try stream.next() { documents.append(document) }
  return documents
}

/// Returns a stream of the ids 0, 1, 2, …: each id is its position.
func counting(_ count: Int) -> TokenStream {
  TokenStream(
    (0..<count).map { TokenID($0) }, vocabularySize: count + 1, endOfText: TokenID(count))
}

/// Returns a text of lines with non-ASCII characters, of at least `byteCount` bytes.
func lines(_ byteCount: Int, salt: Int = 0) -> String {
  var text = ""
  var line = 0
  while text.utf8.count < byteCount {
    text += "line \(salt).\(line): größe, 雨, 🐦\n"
    line += 1
  }
  return text
}

/// Returns `count` examples of 2 to `longest` random ids below 200, with random loss masks.
func randomExamples(_ count: Int, longest: Int, seed: UInt64 = 1) -> [EncodedExample] {
  var random = RandomSequence(RandomStream(seed: seed, purpose: .probe))
  return (0..<count).map { _ in
    let length = Int.random(in: 2...longest, using: &random)
    let prompt = Int.random(in: 1..<length, using: &random)
    let ids = (0..<length - 1).map { _ in TokenID.random(in: 0..<200, using: &random) }
    return EncodedExample(ids: ids + [200], lossMask: (0..<length).map { $0 >= prompt })
  }
}

/// Returns the records `contents` with places in a fictitious file, one per line.
func located(_ contents: [Record]) -> [LocatedRecord] {
  contents.enumerated().map { LocatedRecord($1, at: RecordPlace(path: "a.jsonl", line: $0 + 1)) }
}
