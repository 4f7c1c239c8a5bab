/// A strict reader of JSON (RFC 8259) for untrusted files: it refuses repeated keys, invalid UTF-8,
/// lone surrogates and nesting of more than 64 levels, and reports the line.
package struct JSONReader {
  /// The line at which reading stopped, and the reason.
  package struct SyntaxError: Error, Equatable {
    /// The line, counted from 1.
    package let line: Int
    /// The reason as a clause.
    package let reason: String
  }

  /// The deepest nesting that is accepted: recursion must not exhaust the stack.
  private static let depthLimit = 64

  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0

  /// Parses a whole document.
  package static func read(_ bytes: [UInt8]) throws(SyntaxError) -> JSONElement {
    var reader = JSONReader(bytes: bytes)
    let value = try reader.readValue()
    if reader.peek() != nil { throw reader.failure("text follows the document") }
    return value
  }

  private init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  private func failure(_ reason: String) -> SyntaxError {
    let read = bytes[..<min(position, bytes.count)]
    return SyntaxError(line: 1 + read.count { $0 == 0x0A }, reason: reason)
  }

  /// Skips white space and returns the next byte without consuming it; nil at the end.
  private mutating func peek() -> UInt8? {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return bytes[position]
      }
    }
    return nil
  }

  private mutating func readValue() throws(SyntaxError) -> JSONElement {
    switch peek() {
    case nil: throw failure("the document ends early")
    case UInt8(ascii: "{"), UInt8(ascii: "["): return try readNested()
    case UInt8(ascii: "\""): return .string(try readString())
    case UInt8(ascii: "t"): return try readWord("true", .bool(true))
    case UInt8(ascii: "f"): return try readWord("false", .bool(false))
    case UInt8(ascii: "n"): return try readWord("null", .null)
    default: return try readNumber()
    }
  }

  private mutating func readNested() throws(SyntaxError) -> JSONElement {
    depth += 1
    guard depth <= Self.depthLimit else { throw failure("it is nested too deeply") }
    let isObject = bytes[position] == UInt8(ascii: "{")
    position += 1
    let value = isObject ? try readObject() : try readArray()
    depth -= 1
    return value
  }

  private mutating func readObject() throws(SyntaxError) -> JSONElement {
    var members: [(key: String, value: JSONElement)] = []
    var keys = ByteStringTable()
    if peek() == UInt8(ascii: "}") {
      position += 1
      return .object([])
    }
    while true {
      guard peek() == UInt8(ascii: "\"") else {
        throw failure("a key in quotation marks is expected")
      }
      let key = try readString()
      guard keys.insert(Array(key.utf8)).inserted else { throw failure("key '\(key)' is repeated") }
      guard peek() == UInt8(ascii: ":") else { throw failure("':' is expected") }
      position += 1
      members.append((key, try readValue()))
      if try endsList(with: UInt8(ascii: "}")) { return .object(members) }
    }
  }

  private mutating func readArray() throws(SyntaxError) -> JSONElement {
    var elements: [JSONElement] = []
    if peek() == UInt8(ascii: "]") {
      position += 1
      return .array([])
    }
    while true {
      elements.append(try readValue())
      if try endsList(with: UInt8(ascii: "]")) { return .array(elements) }
    }
  }

  private mutating func endsList(with bracket: UInt8) throws(SyntaxError) -> Bool {
    guard let byte = peek() else { throw failure("the document ends early") }
    guard byte == bracket || byte == UInt8(ascii: ",") else {
      throw failure("',' or '\(Unicode.Scalar(bracket))' is expected")
    }
    position += 1
    return byte == bracket
  }

  private mutating func readWord(
    _ word: StaticString, _ value: JSONElement
  ) throws(SyntaxError) -> JSONElement {
    let word = Array("\(word)".utf8)
    guard bytes[position...].starts(with: word) else { throw failure("a value is expected") }
    position += word.count
    return value
  }

  private mutating func readNumber() throws(SyntaxError) -> JSONElement {
    let start = position
    func digits(_ position: inout Int) -> Int {
      let first = position
      while position < bytes.count, bytes[position] &- 0x30 < 10 { position += 1 }
      return position - first
    }
    func takes(_ characters: String, _ position: inout Int) -> Bool {
      guard position < bytes.count, characters.utf8.contains(bytes[position]) else { return false }
      position += 1
      return true
    }
    var isInteger = true
    _ = takes("-", &position)
    let whole = position
    let wholeDigits = digits(&position)
    var valid = wholeDigits == 1 || wholeDigits > 1 && bytes[whole] != UInt8(ascii: "0")
    if valid, takes(".", &position) {
      isInteger = false
      valid = digits(&position) > 0
    }
    if valid, takes("eE", &position) {
      isInteger = false
      _ = takes("+-", &position)
      valid = digits(&position) > 0
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard valid else { throw failure("a value is expected") }
    if isInteger, let value = Int(text) { return .integer(value) }
    guard let value = Double(text) else { throw failure("number \(text) is out of range") }
    return .real(value)
  }

  private mutating func readString() throws(SyntaxError) -> String {
    position += 1
    var text: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw failure("a string is not valid UTF-8")
        }
        return string
      case UInt8(ascii: "\\"): text += String(try readEscape()).utf8
      case 0..<0x20: throw failure("a string contains a control character")
      default: text.append(byte)
      }
    }
    throw failure("a string has no end")
  }

  private mutating func readEscape() throws(SyntaxError) -> Unicode.Scalar {
    guard position < bytes.count else { throw failure("a string has no end") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let unit = try readHexadecimal()
      if let scalar = Unicode.Scalar(unit) { return scalar }
      guard unit < 0xDC00, bytes[position...].starts(with: Array("\\u".utf8)) else {
        throw failure("a string contains half a surrogate pair")
      }
      position += 2
      let low = try readHexadecimal()
      guard (0xDC00...0xDFFF).contains(low),
        let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
      else { throw failure("a string contains half a surrogate pair") }
      return scalar
    default: throw failure("a string contains an unknown escape")
    }
  }

  private mutating func readHexadecimal() throws(SyntaxError) -> UInt32 {
    guard position + 4 <= bytes.count else { throw failure("a string has no end") }
    var value: UInt32 = 0
    for byte in bytes[position..<position + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failure("a string contains an unknown escape")
      }
      value = value << 4 | UInt32(digit)
    }
    position += 4
    return value
  }
}
