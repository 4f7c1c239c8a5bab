import Checkpoints
import Crypto
import Foundation

/// What is written of a stage when it is done: what it did, and with which inputs.
///
/// The same text and inputs give the same bits: a stage whose record says so is not run again.
public struct StageRecord: Codable, Sendable, Equatable {
  /// Its command, or its keys with every default.
  public let text: String
  /// The digests of its inputs' records, by name.
  public let inputs: [String: String]

  /// The record of a stage that did `text`.
  public init(text: String, inputs: [String: String]) {
    self.text = text
    self.inputs = inputs
  }

  /// Tells this record from any other.
  public var digest: String {
    SHA256.hash(data: Data(encoded)).map { String(format: "%02x", $0) }.joined()
  }

  private var encoded: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return ((try? encoder.encode(self)).map { Array($0) } ?? []) + [0x0A]
  }

  /// The record of a stage in a recipe's `folder`; nil where it is not done.
  ///
  /// A record that cannot be read as one counts as none: the stage is run again.
  public static func read(_ stage: String, in folder: String) throws -> StageRecord? {
    let path = path(of: stage, in: folder)
    guard try FileSystem.exists(path) else { return nil }
    let data = FileManager.default.contents(atPath: path) ?? Data()
    return try? JSONDecoder().decode(StageRecord.self, from: data)
  }

  /// Writes the record, durably and as a whole.
  public func write(_ stage: String, in folder: String) throws(StorageError) {
    let path = StageRecord.path(of: stage, in: folder)
    try FileSystem.makeFolder(folder)
    var file = try DurableFile(creating: "\(path).tmp")
    try file.write(encoded)
    _ = try file.close()
    try FileSystem.rename("\(path).tmp", to: path)
  }

  /// Forgets that the stage was done.
  public static func remove(_ stage: String, in folder: String) throws {
    let path = path(of: stage, in: folder)
    if try FileSystem.exists(path) { try FileManager.default.removeItem(atPath: path) }
  }

  private static func path(of stage: String, in folder: String) -> String {
    "\(folder)/\(stage).done.json"
  }
}
