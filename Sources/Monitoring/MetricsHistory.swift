import Files
import Glibc

/// The lines of an interrupted attempt in metrics.jsonl.
enum MetricsHistory {
  /// The length in bytes of the part of the file that a run resuming after `step` keeps.
  ///
  /// The part ends after the last complete line of a step up to `step` before the first line of a
  /// later step. This removes a torn last line and whatever a crash left at the end (a file system
  /// may show zeros there); damage in the middle stays.
  static func length(ofFileAt path: String, upTo step: Int) throws(StorageError) -> Int {
    guard let stream = fopen(path, "re") else {
      throw .call(operation: "read", path: path, code: errno)
    }
    defer { fclose(stream) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    var kept = 0
    var position = 0
    while true {
      let count = getline(&line, &capacity, stream)
      guard count > 0, let line else { break }
      position += count
      let bytes = UnsafeRawBufferPointer(start: line, count: count)
      guard let number = self.step(of: bytes) else { continue }
      if number > step { return kept }
      kept = position
    }
    guard ferror(stream) == 0 else {
      throw .call(operation: "read", path: path, code: errno)
    }
    return kept
  }

  /// The step of a complete line, `{"step":N,…}` and a line feed; nil for anything else.
  static func step(of line: UnsafeRawBufferPointer) -> Int? {
    guard line.suffix(2).elementsEqual("}\n".utf8) else { return nil }
    // Spaces are accepted for files that another program rewrote.
    var rest = line[...]
    for token in ["{", "\"step\"", ":"] {
      rest = rest.drop { $0 == UInt8(ascii: " ") }
      guard rest.starts(with: token.utf8) else { return nil }
      rest = rest.dropFirst(token.utf8.count)
    }
    rest = rest.drop { $0 == UInt8(ascii: " ") }
    let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    rest = rest.dropFirst(digits.count).drop { $0 == UInt8(ascii: " ") }
    guard rest.first == UInt8(ascii: ",") || rest.first == UInt8(ascii: "}") else { return nil }
    return Int(String(decoding: digits, as: UTF8.self))
  }
}
