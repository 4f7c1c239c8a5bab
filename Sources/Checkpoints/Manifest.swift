import Files
import FoundationEssentials

extension FileRecord {
  /// Returns true when a manifest may list `name`: not in a subfolder, not hidden, and without
  /// characters that JSON must escape.
  static func isValid(name: String) -> Bool {
    !name.hasPrefix(".") && name != Manifest.fileName && !name.isEmpty
      && name.allSatisfy {
        $0.isASCII && ($0.isLetter || $0.isNumber) || "._-".contains($0)
      }
  }
}

/// The list of a checkpoint's files: MANIFEST.json.
///
/// ```
/// {
///   "version": 1,
///   "step": 1000,
///   "files": [
///     {"name": "config.json", "size": 412, "sha256": "…"},
///     …sorted by name
///   ],
///   "manifest": "SHA-256 of all bytes before this line"
/// }
/// ```
///
/// The last two lines keep their form in every version: they distinguish a manifest of an unknown
/// version, which must stop the program, from a damaged one, which must not.
package struct Manifest: Sendable, Equatable {
  /// The version that this program writes and reads.
  package static let version = 1
  /// The name of the file.
  package static let fileName = "MANIFEST.json"
  /// Limit of the bytes that are read, far above any manifest's size.
  static let maximumSize = 16 << 20

  /// The training step.
  package let step: Int
  /// The files, sorted by name.
  package let files: [FileRecord]

  /// A manifest of these files, in any order.
  package init(step: Int, files: [FileRecord]) {
    precondition(step >= 0, "step \(step) is negative")
    self.step = step
    self.files = files.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    for (file, next) in zip(self.files, self.files.dropFirst()) {
      precondition(file.name != next.name, "two files of a checkpoint are named \(file.name)")
    }
    for file in files {
      precondition(FileRecord.isValid(name: file.name), "\(file.name) cannot be in a checkpoint")
    }
  }

  /// The contents of the file.
  var encoded: [UInt8] {
    let lines = files.map {
      "    {\"name\": \"\($0.name)\", \"size\": \($0.size), \"sha256\": \"\($0.sha256)\"}"
    }
    let body = """
      {
        "version": \(Self.version),
        "step": \(step),
        "files": [
      \(lines.joined(separator: ",\n"))
        ],

      """
    return Array(body.utf8) + Self.seal(Array(body.utf8))
  }

  private static func seal(_ body: some Sequence<UInt8>) -> [UInt8] {
    Array("  \"manifest\": \"\(ContentDigest.sha256(of: body))\"\n}\n".utf8)
  }

  /// Reads the contents of the file; `path` is for error messages.
  init(decoding bytes: [UInt8], path: String) throws(CheckpointError) {
    struct Envelope: Decodable { let version: Int }
    struct Body: Decodable {
      let step: Int
      let files: [FileRecord]
    }
    let body = bytes.dropLast(Self.seal([]).count)
    guard Array(bytes[body.endIndex...]) == Self.seal(body) else {
      throw .damaged(path: path, reason: "its own SHA-256 does not match its contents")
    }
    guard let envelope = try? JSONDecoder().decode(Envelope.self, from: Data(bytes)) else {
      throw .damaged(path: path, reason: "it has no version")
    }
    guard envelope.version == Self.version else {
      throw .unknownVersion(path: path, found: envelope.version, supported: Self.version)
    }
    guard let content = try? JSONDecoder().decode(Body.self, from: Data(bytes)), content.step >= 0,
      content.files.allSatisfy({ FileRecord.isValid(name: $0.name) && $0.size >= 0 }),
      Set(content.files.map(\.name)).count == content.files.count
    else {
      throw .damaged(path: path, reason: "its step or list of files is not valid")
    }
    self.init(step: content.step, files: content.files)
  }
}
