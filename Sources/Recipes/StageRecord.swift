import Files
import Foundation

/// The record of a finished stage: its settings and its inputs.
///
/// Equal settings and inputs give equal bits, so a stage with an equal record is not run again.
package struct StageRecord: Codable, Sendable, Equatable {
  /// The command, or the keys with every default.
  package let text: String
  /// The digests of the records of its inputs, by stage name.
  package let inputs: [String: String]

  package init(text: String, inputs: [String: String]) {
    self.text = text
    self.inputs = inputs
  }

  /// The SHA-256 of the record, in hexadecimal.
  package var digest: String {
    ContentDigest.sha256(of: encoded)
  }

  private var encoded: [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return ((try? encoder.encode(self)).map { Array($0) } ?? []) + [0x0A]
  }

  /// Reads the record of a stage in the `folder` of a recipe; nil if the stage is not done.
  ///
  /// A malformed record counts as none: the stage is run again.
  package static func read(_ stage: String, in folder: String) throws -> StageRecord? {
    let path = path(of: stage, in: folder)
    guard try FileSystem.exists(path) else { return nil }
    guard let bytes = try? InputFile.contents(of: path) else { return nil }
    return try? JSONDecoder().decode(StageRecord.self, from: Data(bytes))
  }

  /// Writes the record durably and atomically.
  package func write(_ stage: String, in folder: String) throws(StorageError) {
    try PendingFile.write(encoded, to: Self.path(of: stage, in: folder))
  }

  /// Removes the record, so that the stage counts as not done.
  package static func remove(_ stage: String, in folder: String) throws {
    let path = path(of: stage, in: folder)
    if try FileSystem.exists(path) { try FileManager.default.removeItem(atPath: path) }
  }

  private static func path(of stage: String, in folder: String) -> String {
    "\(folder)/\(stage).done.json"
  }
}
