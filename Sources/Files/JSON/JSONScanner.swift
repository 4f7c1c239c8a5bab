/// Reads JSON (RFC 8259) from untrusted bytes, one token at a time.
///
/// It refuses invalid UTF-8 and lone surrogates, and builds no tree and does not recurse: a reader
/// of a known form takes no more memory and stack than that form needs. ``JSONReader`` builds on it.
package struct JSONScanner {
  private let bytes: UnsafeRawBufferPointer
  /// The number of bytes that are consumed.
  private(set) var offset = 0

  /// A scanner of `bytes`, which must outlive it.
  package init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  /// Returns the error for what is at the current offset.
  package func failure(_ reason: String) -> JSONSyntaxError {
    JSONSyntaxError(
      reason: reason, offset: offset, line: 1 + bytes[..<offset].count { $0 == 0x0A })
  }

  /// Skips white space and returns the next byte without consuming it; nil at the end.
  mutating func peek() -> UInt8? {
    while offset < bytes.count {
      switch bytes[offset] {
      case 0x20, 0x09, 0x0A, 0x0D: offset += 1
      default: return bytes[offset]
      }
    }
    return nil
  }

  /// Consumes the character if it is next; returns true when it was.
  package mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  /// Consumes the word if it is next; returns true when it was.
  mutating func take(word: StaticString) -> Bool {
    let rest = bytes[offset...]
    let isNext = word.withUTF8Buffer { rest.starts(with: $0) }
    if isNext { offset += word.utf8CodeUnitCount }
    return isNext
  }

  /// Consumes the character, which must be next.
  package mutating func expect(_ character: Unicode.Scalar) throws(JSONSyntaxError) {
    if !take(character) { throw failure("expected \(character)") }
  }

  /// Requires that only white space remains.
  package mutating func expectEnd() throws(JSONSyntaxError) {
    if peek() != nil { throw failure("unexpected text after the last }") }
  }

  /// Reads an object; `value` is called with each key and must read its value.
  package mutating func object(
    _ value: (inout JSONScanner, String) throws(JSONSyntaxError) -> Void
  ) throws(JSONSyntaxError) {
    try expect("{")
    if take("}") { return }
    repeat {
      let key = try string()
      try expect(":")
      try value(&self, key)
    } while take(",")
    try expect("}")
  }

  /// Reads an array of integers from 0 to `Int.max`.
  package mutating func integers() throws(JSONSyntaxError) -> [Int] {
    try expect("[")
    if take("]") { return [] }
    var result: [Int] = []
    repeat { result.append(try integer()) } while take(",")
    try expect("]")
    return result
  }

  private mutating func integer() throws(JSONSyntaxError) -> Int {
    _ = peek()
    let digits = takeDigits()
    if digits.isEmpty { throw failure("expected a whole number, zero or more") }
    guard let value = Int(String(decoding: digits, as: UTF8.self)) else {
      throw failure("a number is too large")
    }
    if digits.first == UInt8(ascii: "0") && digits.count > 1 {
      throw failure("a number starts with 0")
    }
    return value
  }

  /// Reads a number; `isInteger` is false when it has a fraction or an exponent.
  mutating func number() throws(JSONSyntaxError) -> (text: String, isInteger: Bool) {
    let start = offset
    var isInteger = true
    _ = take(oneOf: "-")
    let whole = takeDigits()
    var isValid = whole.count == 1 || whole.count > 1 && whole.first != UInt8(ascii: "0")
    if isValid, take(oneOf: ".") {
      isInteger = false
      isValid = !takeDigits().isEmpty
    }
    if isValid, take(oneOf: "eE") {
      isInteger = false
      _ = take(oneOf: "+-")
      isValid = !takeDigits().isEmpty
    }
    guard isValid else { throw failure("a value is expected") }
    return (String(decoding: bytes[start..<offset], as: UTF8.self), isInteger)
  }

  private mutating func takeDigits() -> Slice<UnsafeRawBufferPointer> {
    let start = offset
    while offset < bytes.count, bytes[offset] &- 0x30 < 10 { offset += 1 }
    return bytes[start..<offset]
  }

  private mutating func take(oneOf characters: String) -> Bool {
    guard offset < bytes.count, characters.utf8.contains(bytes[offset]) else { return false }
    offset += 1
    return true
  }

  /// Reads a string.
  package mutating func string() throws(JSONSyntaxError) -> String {
    try expect("\"")
    var text: [UInt8] = []
    var start = offset
    while offset < bytes.count {
      let byte = bytes[offset]
      offset += 1
      switch byte {
      case UInt8(ascii: "\""):
        let rest = UnsafeRawBufferPointer(rebasing: bytes[start..<offset - 1])
        let string =
          text.isEmpty
          ? String(validating: rest, as: UTF8.self)
          : String(validating: text + rest, as: UTF8.self)
        guard let string else { throw failure("a string is not valid UTF-8") }
        return string
      case UInt8(ascii: "\\"):
        text += bytes[start..<offset - 1]
        text += String(try escape()).utf8
        start = offset
      case 0..<0x20: throw failure("a string contains a control character")
      default: continue
      }
    }
    throw failure("a string has no end")
  }

  /// Reads the rest of an escape after its backslash.
  private mutating func escape() throws(JSONSyntaxError) -> Unicode.Scalar {
    guard offset < bytes.count else { throw failure("a string has no end") }
    let byte = bytes[offset]
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let unit = try codeUnit()
      if let scalar = Unicode.Scalar(unit) { return scalar }
      guard unit < 0xDC00, take(word: "\\u") else {
        throw failure("a string contains half a surrogate pair")
      }
      let low = try codeUnit()
      guard (0xDC00...0xDFFF).contains(low),
        let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
      else { throw failure("a string contains half a surrogate pair") }
      return scalar
    default: throw failure("a string contains an unknown escape")
    }
  }

  private mutating func codeUnit() throws(JSONSyntaxError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard offset < bytes.count else { throw failure("a string has no end") }
      guard let digit = Character(Unicode.Scalar(bytes[offset])).hexDigitValue else {
        throw failure("a string contains an escape without four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      offset += 1
    }
    return value
  }
}

/// A JSON text that is not valid, or not of the expected form.
package struct JSONSyntaxError: Error, Equatable {
  /// The reason as a clause.
  package let reason: String
  /// The number of bytes before the place at which reading stopped.
  package let offset: Int
  /// The line of that place, counted from 1.
  package let line: Int
}
