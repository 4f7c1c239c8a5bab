// Decodes UTF-8 one scalar at a time from bytes that need not be valid.

/// A decoded scalar, or `invalid` for a byte that is not part of valid UTF-8.
struct ReadScalar {
  /// The value of a byte that is not part of valid UTF-8; no scalar has it.
  static let invalid = UInt32.max

  let value: UInt32
  /// The number of bytes decoded.
  let length: Int

  @inline(__always)
  init(_ value: UInt32, _ length: Int) {
    self.value = value
    self.length = length
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// Returns the scalar that begins at `index`.
  @inline(__always)
  func scalar(at index: Int) -> ReadScalar {
    let byte = self[index]
    return byte < 0x80 ? ReadScalar(UInt32(byte), 1) : multibyteScalar(at: index, lead: byte)
  }

  /// Decodes by table 3-7 of the Unicode Standard: the range of the second byte rules out overlong
  /// forms, surrogates and values above U+10FFFF.
  private func multibyteScalar(at index: Int, lead: UInt8) -> ReadScalar {
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch lead {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    case 0xF1...0xF3: length = 4
    default: return ReadScalar(ReadScalar.invalid, 1)
    }
    guard index + length <= count, second.contains(self[index + 1]) else {
      return ReadScalar(ReadScalar.invalid, 1)
    }
    var value = UInt32(lead) & (0xFF >> UInt32(length + 1))
    for offset in 1..<length {
      let byte = self[index + offset]
      guard byte & 0xC0 == 0x80 else { return ReadScalar(ReadScalar.invalid, 1) }
      value = value << 6 | UInt32(byte & 0x3F)
    }
    return ReadScalar(value, length)
  }

  /// Returns the scalar that ends at `end`, which must be the end of a whole scalar.
  @inline(__always)
  func scalar(endingAt end: Int) -> ReadScalar {
    var start = end - 1
    while start > 0, end - start < 4, self[start] & 0xC0 == 0x80 { start -= 1 }
    let read = scalar(at: start)
    return start + read.length == end ? read : ReadScalar(ReadScalar.invalid, 1)
  }

  /// True when all bytes are ASCII.
  var isASCII: Bool {
    let raw = UnsafeRawBufferPointer(self)
    var index = 0
    while index + 8 <= count {
      let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      if word & 0x8080_8080_8080_8080 != 0 { return false }
      index += 8
    }
    while index < count {
      if self[index] >= 0x80 { return false }
      index += 1
    }
    return true
  }
}

extension [UInt8] {
  /// Appends the UTF-8 form of `scalar` and returns its length.
  @inline(__always)
  @discardableResult
  mutating func append(scalar: UInt32) -> Int {
    switch scalar {
    case 0..<0x80:
      append(UInt8(truncatingIfNeeded: scalar))
      return 1
    case 0x80..<0x800:
      append(0xC0 | UInt8(truncatingIfNeeded: scalar >> 6))
      append(0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F))
      return 2
    case 0x800..<0x10000:
      append(0xE0 | UInt8(truncatingIfNeeded: scalar >> 12))
      append(0x80 | UInt8(truncatingIfNeeded: scalar >> 6 & 0x3F))
      append(0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F))
      return 3
    default:
      append(0xF0 | UInt8(truncatingIfNeeded: scalar >> 18))
      append(0x80 | UInt8(truncatingIfNeeded: scalar >> 12 & 0x3F))
      append(0x80 | UInt8(truncatingIfNeeded: scalar >> 6 & 0x3F))
      append(0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F))
      return 4
    }
  }
}

/// Returns true for white space as Rust's `char::is_whitespace` and `\s` define it: the property
/// White_Space, stable since Unicode 6.3.
@inline(__always)
func isWhiteSpace(_ scalar: UInt32) -> Bool {
  switch scalar {
  case 0x09...0x0D, 0x20: true
  case 0..<0x85: false
  case 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
  default: false
  }
}
