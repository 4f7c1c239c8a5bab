/// Parses JSON of a known form from untrusted bytes, one token at a time.
///
/// General parsers silently keep one of two equal keys, which a hostile header could exploit. This
/// parser does not recurse, so nesting cannot exhaust the stack.
struct JSONScanner {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0
  private let path: String

  /// A scanner of `bytes`; `path` is for error messages.
  init(_ bytes: UnsafeRawBufferPointer, path: String) {
    self.bytes = bytes
    self.path = path
  }

  func failure(_ reason: String) -> CheckpointError {
    .badSafeTensors(path: path, reason: "\(reason) at byte \(position) of its header")
  }

  private mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
      position += 1
    }
  }

  /// Consumes the character if it is next; returns true when it was.
  mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  /// Consumes the character, which must be next.
  mutating func expect(_ character: Unicode.Scalar) throws(CheckpointError) {
    if !take(character) { throw failure("expected \(character)") }
  }

  /// Requires that only white space remains.
  mutating func expectEnd() throws(CheckpointError) {
    skipSpace()
    if position != bytes.count { throw failure("unexpected text after the last }") }
  }

  /// Reads an object; `value` is called with each key and must read its value.
  mutating func object(
    _ value: (inout JSONScanner, String) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
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
  mutating func integers() throws(CheckpointError) -> [Int] {
    try expect("[")
    if take("]") { return [] }
    var result: [Int] = []
    repeat { result.append(try integer()) } while take(",")
    try expect("]")
    return result
  }

  private mutating func integer() throws(CheckpointError) -> Int {
    skipSpace()
    let start = position
    var value = 0
    while position < bytes.count, case 0x30...0x39 = bytes[position] {
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int(bytes[position] - 0x30))
      if overflow || carry { throw failure("a number is too large") }
      value = sum
      position += 1
    }
    if position == start { throw failure("expected a whole number, zero or more") }
    if bytes[start] == 0x30 && position - start > 1 { throw failure("a number starts with 0") }
    return value
  }

  /// Reads a string.
  mutating func string() throws(CheckpointError) -> String {
    try expect("\"")
    var text: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "\""):
        guard let result = String(validating: text, as: UTF8.self) else {
          throw failure("a string is not UTF-8")
        }
        position += 1
        return result
      case UInt8(ascii: "\\"):
        position += 1
        text += try escape()
      case 0..<0x20:
        throw failure("a control character in a string")
      default:
        text.append(byte)
        position += 1
      }
    }
    throw failure("a string does not end")
  }

  /// Reads the rest of an escape after its backslash; returns it as UTF-8.
  private mutating func escape() throws(CheckpointError) -> [UInt8] {
    guard position < bytes.count else { throw failure("a string does not end") }
    position += 1
    switch Unicode.Scalar(bytes[position - 1]) {
    case "\"": return [0x22]
    case "\\": return [0x5C]
    case "/": return [0x2F]
    case "b": return [0x08]
    case "f": return [0x0C]
    case "n": return [0x0A]
    case "r": return [0x0D]
    case "t": return [0x09]
    case "u":
      var code = try codeUnit()
      if case 0xD800..<0xDC00 = code, position + 2 <= bytes.count,
        bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
      {
        position += 2
        let low = try codeUnit()
        guard case 0xDC00..<0xE000 = low else { throw failure("half a surrogate pair") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw failure("half a surrogate pair") }
      return Array(String(Character(scalar)).utf8)
    default: throw failure("an unknown escape in a string")
    }
  }

  private mutating func codeUnit() throws(CheckpointError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count,
        let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue
      else { throw failure("expected four hexadecimal digits") }
      value = value << 4 + UInt32(digit)
      position += 1
    }
    return value
  }
}
