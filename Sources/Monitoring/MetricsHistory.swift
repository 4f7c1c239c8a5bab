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

  /// The energy in the last complete line that has one; nil without, or when the file cannot be read.
  static func energy(inFileAt path: String) -> Energy? {
    // A FIFO in its place would be waited for.
    guard FileStatus(path)?.kind == .file, let stream = fopen(path, "re") else { return nil }
    defer { fclose(stream) }
    // Many lines fit, so that one of a step is among them; the first is cut.
    let (end, few) = (fseek(stream, 0, SEEK_END) == 0 ? ftell(stream) : 0, 256 << 10)
    guard end > 0, fseek(stream, max(0, end - few), SEEK_SET) == 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: few)
    bytes.removeLast(few - fread(&bytes, 1, few, stream))
    let lines = bytes.split(separator: UInt8(ascii: "\n"))
    return lines.reversed().lazy.compactMap { (line) -> Energy? in
      (try? JSONReader.read(Array(line))).flatMap { Energy(line: $0) }
    }.first
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
