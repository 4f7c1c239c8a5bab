import Files

extension ConfigurationReader {
  /// The maximum size of a configuration file, in bytes.
  package static let largestFile = 1 << 20

  /// A reader of the YAML file at `path`, which may be a pipe that the shell opened.
  ///
  /// The file must be UTF-8 of at most `largestFile` bytes.
  package init(path: String, overrides: [String] = []) throws(ConfigurationError) {
    let bytes = try Self.bytes(path)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .notUTF8(file: path, line: Self.lineOfFirstInvalidByte(bytes))
    }
    try self.init(yaml: text, file: path, overrides: overrides)
  }

  private static func bytes(_ path: String) throws(ConfigurationError) -> [UInt8] {
    do throws(StorageError) {
      return try InputFile.contents(of: path, limit: largestFile, acceptsPipe: true)
    } catch .tooLarge {
      throw .tooLarge(file: path, limit: largestFile)
    } catch {
      throw .unreadable(file: path, reason: error.reason)
    }
  }

  /// The line, from 1, of the first byte that is not valid UTF-8.
  private static func lineOfFirstInvalidByte(_ bytes: [UInt8]) -> Int {
    // A newline byte is never part of a longer UTF-8 sequence, so each line is checked alone.
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let index = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil }
    return (index ?? 0) + 1
  }
}
