import Foundation
import Models
import Tensors
import Tokenizers

@testable import Checkpoints

/// A temporary folder for one test, removed when the value is destroyed.
final class Folder {
  let path: String

  init() throws {
    path = "\(NSTemporaryDirectory())/apus-models-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Publishes a checkpoint of these files.
  ///
  /// - Returns: The path of the checkpoint.
  func save(_ files: ModelFiles, _ values: FlatBuffer) throws -> String {
    let store = CheckpointStore(path: "\(path)/checkpoints")
    try store.claim(attempt: "one")
    let draft = try store.draft(step: 1, attempt: "one")
    let written = try files.write(UnsafeBufferPointer(values.elements), to: draft)
    return try draft.publish(files: written.map { try $0.close() }).path
  }

  /// Copies the golden folder `name`; if `hasTokenizer`, adds a tokenizer of as many ids.
  ///
  /// - Returns: The path of the copy.
  func copy(golden name: String, hasTokenizer: Bool = true) throws -> String {
    let copy = "\(path)/\(name)"
    try FileManager.default.copyItem(atPath: GoldenTests.path(name), toPath: copy)
    guard hasTokenizer else { return copy }
    // A folder with an adapter alone does not give the number of ids.
    let ids = (try? ConfigurationFile.read("\(copy)/config.json").vocabulary) ?? 16
    let tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + (5..<ids).map { "word\($0)" }
    try write(Array(tokens.joined(separator: "\n").utf8), to: "\(copy)/vocab.txt")
    // The classes of GPT-2 and Qwen read other files.
    let settings = #"{"tokenizer_class": "BertTokenizer"}"#
    try write(Array(settings.utf8), to: "\(copy)/tokenizer_config.json")
    return copy
  }

  func write(_ bytes: [UInt8], to path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  /// Replaces `old` in the text file at `path`.
  func replace(_ old: String, by new: String, in path: String) throws {
    let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
    try write(Array(text.replacingOccurrences(of: old, with: new).utf8), to: path)
  }
}
