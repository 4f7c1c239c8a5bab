/// GPT-2's spelling of bytes as visible characters, which vocabulary files use.
///
/// A printable byte of Latin-1 is its own character; the 68 others take U+0100, U+0101, … in
/// ascending order (space is Ġ, newline is Ċ). Source: `bytes_to_unicode` in openai/gpt-2.
enum ByteAlphabet {
  /// The character of each byte.
  static let scalars: [Unicode.Scalar] = {
    var next: UInt8 = 0
    return (0...255).map { (byte: UInt8) in
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return Unicode.Scalar(byte)
      default:
        // U+0100 + next is never a surrogate, so the conversion succeeds.
        defer { next += 1 }
        return Unicode.Scalar(0x100 + UInt32(next)) ?? "\u{FFFD}"
      }
    }
  }()

  /// The bytes in ascending order of their characters: the order of GPT-2's first 256 ids.
  static let bytesInOrder: [UInt8] = (0...255).sorted { scalars[Int($0)] < scalars[Int($1)] }

  private static let byteOfScalar: [UInt8?] = {
    var table = [UInt8?](repeating: nil, count: 0x144)
    for byte in UInt8.min...UInt8.max { table[Int(scalars[Int(byte)].value)] = byte }
    return table
  }()

  /// Returns the spelling of `bytes`.
  static func spelling(of bytes: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(scalars[Int(byte)]) }
    return String(text)
  }

  /// Returns the bytes that `spelling` encodes; nil when a character is outside the alphabet.
  static func bytes(spelled spelling: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(spelling.utf8.count)
    for scalar in spelling.unicodeScalars {
      guard scalar.value < 0x144, let byte = byteOfScalar[Int(scalar.value)] else { return nil }
      bytes.append(byte)
    }
    return bytes
  }
}
