import Glibc

/// The lines of a file, each checked to be text, in memory bounded by the longest line.
struct LineReader {
  struct Line {
    /// The bytes of the line, without its line feed.
    let bytes: [UInt8]
    /// The line number, from 1.
    let number: Int

    /// True when the line holds only JSON white space.
    var isBlank: Bool {
      bytes.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
    }
  }

  private let path: String
  private let limit: Int
  private var reader: ByteReader
  private var buffer: [UInt8] = []
  /// The start of the current line in `buffer`, and the end of the part without a line feed.
  private var start = 0
  private var searched = 0
  /// The offset of `buffer` in the file, in bytes.
  private var offset = 0
  private var number = 0
  private var isAtEnd = false

  init(_ file: SourceFile, limit: Int) throws(DatasetError) {
    path = file.path
    self.limit = limit
    reader = try ByteReader(file)
  }

  /// Returns the next line; nil after the last.
  mutating func next() throws(DatasetError) -> Line? {
    while true {
      if let end = lineFeed() { return try line(upTo: end, next: end + 1) }
      searched = buffer.count
      guard searched - start <= limit else {
        throw .documentTooLarge(path: path, line: number + 1, limit: limit)
      }
      guard !isAtEnd else {
        return start < buffer.count ? try line(upTo: buffer.count, next: buffer.count) : nil
      }
      buffer.removeSubrange(..<start)
      offset += start
      searched -= start
      start = 0
      isAtEnd = try !reader.read(into: &buffer)
    }
  }

  private mutating func line(upTo end: Int, next: Int) throws(DatasetError) -> Line {
    number += 1
    var bytes = Array(buffer[start..<end])
    let lineOffset = offset + start
    // Before the check, so that reading can continue after a line that is not text.
    start = next
    searched = next
    try TextCheck.check(bytes, path: path, offset: lineOffset)
    if number == 1, bytes.starts(with: TextCheck.byteOrderMark) { bytes.removeFirst(3) }
    return Line(bytes: bytes, number: number)
  }

  private func lineFeed() -> Int? {
    buffer.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress, searched < bytes.count,
        let hit = memchr(base + searched, 0x0A, bytes.count - searched)
      else { return nil }
      return UnsafeRawPointer(hit) - base
    }
  }
}
