import Glibc

/// Checks that bytes are text: UTF-8 without NUL.
enum TextCheck {
  static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  /// Throws `.binary` or `.notUTF8`, whichever comes first in `bytes`, which begin at byte `offset`
  /// of the file.
  static func check(_ bytes: [UInt8], path: String, offset: Int) throws(DatasetError) {
    let zero = bytes.withUnsafeBytes { buffer -> Int? in
      guard let start = buffer.baseAddress, let hit = memchr(start, 0, buffer.count) else {
        return nil
      }
      return UnsafeRawPointer(hit) - start
    }
    do {
      _ = try UTF8Span(validating: bytes.span)
    } catch {
      let invalid = error.byteOffsets.lowerBound
      // Many binary files have invalid UTF-8 before their first zero: a nearby NUL identifies them.
      if let zero, zero < invalid + 4096 { throw .binary(path: path, offset: offset + zero) }
      throw .notUTF8(path: path, offset: offset + invalid)
    }
    if let zero { throw .binary(path: path, offset: offset + zero) }
  }
}
