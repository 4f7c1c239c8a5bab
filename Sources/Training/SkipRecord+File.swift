import Checkpoints
import Files
import Foundation

// skipped.json of a run folder, UTF-8:
//
//   {"settings": {"seed": "1", …}, "skipped": [{"first": 17, …}, …], "version": 1}
//
// `settings` are those that decide the bits, with which the steps were skipped.

/// The record in a run folder, written when a step is skipped.
///
/// Checkpoints have the steps up to theirs. The file has those after the newest one as well, so that
/// a run which resumes after a crash skips what it skipped before, also where a fault of the machine
/// was the cause, which does not come again.
struct SkipFile: Codable, Equatable {
  static let version = 1
  static let name = "skipped.json"

  private(set) var version = SkipFile.version
  let settings: [String: String]
  let skipped: [SkippedSteps]

  init(_ record: SkipRecord, settings: [String: String]) {
    self.settings = settings
    skipped = record.entries
  }

  var record: SkipRecord { SkipRecord(skipped) }

  /// Reads the file of `folder`; nil without one.
  ///
  /// - Throws: `UnreadableRecord` when it is not a record, or one of another version.
  init?(in folder: RunFolder) throws(UnreadableRecord) {
    let bytes: [UInt8]
    do {
      bytes = try InputFile("\(folder.path)/\(Self.name)").contents(limit: 64 << 20)
    } catch .call(_, _, ENOENT) {
      return nil
    } catch {
      throw UnreadableRecord(reason: error.reason)
    }
    guard let file = try? JSONDecoder().decode(SkipFile.self, from: Data(bytes)),
      file.version == Self.version, SkippedSteps.areSound(file.skipped)
    else {
      throw UnreadableRecord(
        reason: "it is not a record of skipped steps of version \(Self.version)")
    }
    self = file
  }

  /// Writes the file into `folder`, durably; removes an earlier one for an empty record.
  func write(to folder: RunFolder) throws(StorageError) {
    if skipped.isEmpty {
      return try FileSystem.removeTree("\(folder.path)/\(Self.name)")
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    // A record has finite numbers, which every encoder can write.
    let bytes = (try? encoder.encode(self)).map { Array($0) } ?? []
    try folder.write(bytes + [0x0A], as: Self.name)
    try FileSystem.sync(folder: folder.path)
  }

  /// A file that cannot be read, with the reason as the part of a sentence.
  struct UnreadableRecord: Error, Equatable { let reason: String }
}
