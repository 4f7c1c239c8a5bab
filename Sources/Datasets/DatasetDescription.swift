import Foundation

/// `dataset.json`: what a dataset was built from, and how much came out.
public struct DatasetDescription: Codable, Sendable, Equatable {
  /// A file, or a generator, that documents came from.
  public struct Source: Codable, Sendable, Equatable {
    /// The path of the file, or the name and count of what was generated.
    public let path: String
    /// Size of the file on disk; 0 for what was generated.
    public let fileBytes: Int
    /// When the file was last changed, nanoseconds since 1970; 0 for what was generated.
    public let modified: Int
    /// Count of documents with text.
    public internal(set) var documents = 0
    /// Count of documents without text, which were left out.
    public internal(set) var emptyDocuments = 0
    /// Bytes of text.
    public internal(set) var textBytes = 0

    /// Whether both name the same file in the same state.
    func isSame(as other: Source) -> Bool {
      path == other.path && fileBytes == other.fileBytes && modified == other.modified
    }
  }

  static let version = 1

  /// The version of this file's form.
  public internal(set) var version = Self.version
  /// The tokenizer's fingerprint in hexadecimal, as JSON's numbers lose the low bits.
  public internal(set) var tokenizer: String
  /// Count of ids of the tokenizer.
  public internal(set) var vocabularySize: Int
  /// The field of `.jsonl` lines that holds the text.
  public internal(set) var textField: String
  /// The share held out; absent when validation has files of its own.
  public internal(set) var validationFraction: Double?
  /// What the training text came from and, with a fraction, the validation text too.
  public internal(set) var sources: [Source]
  /// The validation's own files.
  public internal(set) var validationSources: [Source]
  /// `train.tokens`.
  public internal(set) var train: TokenShard.Summary
  /// `validation.tokens`.
  public internal(set) var validation: TokenShard.Summary

  static func hexadecimal(_ fingerprint: UInt64) -> String {
    let digits = String(fingerprint, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Whether both were built from the same things in the same way.
  func hasSameInputs(as other: DatasetDescription) -> Bool {
    tokenizer == other.tokenizer && vocabularySize == other.vocabularySize
      && textField == other.textField && validationFraction == other.validationFraction
      && sources.elementsEqual(other.sources) { $0.isSame(as: $1) }
      && validationSources.elementsEqual(other.validationSources) { $0.isSame(as: $1) }
  }
}

extension DatasetDescription {
  /// Reads the file at `path` of the dataset in `folder`.
  init(reading path: String, folder: String) throws(DatasetError) {
    let file: InputFile
    do {
      file = try InputFile(path)
    } catch .missing {
      throw .noDataset(folder: folder)
    }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = try chunk.withUnsafeMutableBufferPointer { buffer throws(DatasetError) -> Int in
        guard let start = buffer.baseAddress else { return 0 }
        return try file.read(into: start, capacity: buffer.count)
      }
      if count == 0 { break }
      bytes += chunk[..<count]
    }
    struct Version: Decodable { let version: Int }
    do {
      let decoder = JSONDecoder()
      let found = try decoder.decode(Version.self, from: Data(bytes)).version
      guard found == Self.version else {
        throw DatasetError.brokenDescription(
          path: path, reason: "version \(found), where \(Self.version) is known")
      }
      self = try decoder.decode(Self.self, from: Data(bytes))
    } catch let error as DatasetError {
      throw error
    } catch {
      throw .brokenDescription(path: path, reason: "it is not the JSON that this program writes")
    }
  }

  /// The bytes of the file; the same description gives the same bytes.
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
