import Files
import Foundation

/// The contents of `dataset.json`: the sources and settings of a dataset's build, with its counts.
package struct DatasetDescription: Codable, Sendable, Equatable {
  /// A file or a generator that documents came from.
  package struct Source: Codable, Sendable, Equatable {
    /// The path of the file, or the name and count of generated documents.
    package let path: String
    /// The size of the file on disk, in bytes; 0 for generated documents.
    package let fileBytes: Int
    /// The time of the file's last change, in nanoseconds since 1970; 0 for generated documents.
    package let modified: Int
    /// The number of documents with text.
    package internal(set) var documents = 0
    /// The number of documents without text, which were left out.
    package internal(set) var emptyDocuments = 0
    /// The size of the text, in bytes.
    package internal(set) var textBytes = 0

    /// True when both name the same file with the same size and time of change.
    func isSame(as other: Source) -> Bool {
      path == other.path && fileBytes == other.fileBytes && modified == other.modified
    }
  }

  static let version = 1

  /// The version of the file format.
  package internal(set) var version = Self.version
  /// The tokenizer's fingerprint in hexadecimal, because JSON numbers lose the low bits.
  package internal(set) var tokenizer: String
  /// The number of ids of the tokenizer.
  package internal(set) var vocabularySize: Int
  /// The field of `.jsonl` lines that holds the text.
  package internal(set) var textField: String
  /// The fraction of the text that is held out; absent when validation has files of its own.
  package internal(set) var validationFraction: Double?
  /// The sources of the training text and, with a fraction, of the validation text.
  package internal(set) var sources: [Source]
  /// The files of the validation text, when it has its own.
  package internal(set) var validationSources: [Source]
  /// The summary of `train.tokens`.
  package internal(set) var train: TokenShard.Summary
  /// The summary of `validation.tokens`.
  package internal(set) var validation: TokenShard.Summary

  /// True when both were built from the same sources with the same settings.
  func hasSameInputs(as other: DatasetDescription) -> Bool {
    tokenizer == other.tokenizer && vocabularySize == other.vocabularySize
      && textField == other.textField && validationFraction == other.validationFraction
      && sources.elementsEqual(other.sources) { $0.isSame(as: $1) }
      && validationSources.elementsEqual(other.validationSources) { $0.isSame(as: $1) }
  }
}

extension DatasetDescription {
  /// Reads the file at `path`, which belongs to the dataset in `folder`.
  init(reading path: String, folder: String) throws(DatasetError) {
    let bytes: [UInt8]
    do throws(DatasetError) {
      bytes = try DatasetError.wrapping { () throws(StorageError) in
        try InputFile.contents(of: path)
      }
    } catch .missing {
      throw .noDataset(folder: folder)
    }
    struct Version: Decodable { let version: Int }
    do {
      let decoder = JSONDecoder()
      let found = try decoder.decode(Version.self, from: Data(bytes)).version
      guard found == Self.version else {
        throw DatasetError.brokenDescription(
          path: path, reason: "it has version \(found) and this program reads \(Self.version)")
      }
      self = try decoder.decode(Self.self, from: Data(bytes))
    } catch let error as DatasetError {
      throw error
    } catch {
      throw .brokenDescription(path: path, reason: "its JSON is not of the expected form")
    }
  }

  /// Returns the bytes of the file; equal descriptions give equal bytes.
  func encoded() throws(DatasetError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      return Array(try encoder.encode(self)) + [0x0A]
    } catch {
      throw .brokenDescription(path: Dataset.descriptionName, reason: "it cannot be encoded")
    }
  }
}
