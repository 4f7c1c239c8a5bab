/// A strict reader of whole JSON documents (RFC 8259) from untrusted files: beyond what
/// ``JSONScanner`` refuses, it refuses repeated keys and nesting of more than 64 levels.
package struct JSONReader {
  /// The deepest nesting that is accepted: recursion must not exhaust the stack.
  private static let depthLimit = 64

  private var scanner: JSONScanner
  private var depth = 0

  /// Parses a whole document.
  package static func read(_ bytes: [UInt8]) throws(JSONSyntaxError) -> JSONValue {
    try bytes.withUnsafeBufferPointer { (buffer) throws(JSONSyntaxError) in
      var reader = JSONReader(scanner: JSONScanner(UnsafeRawBufferPointer(buffer)))
      let value = try reader.value()
      if reader.scanner.peek() != nil { throw reader.scanner.failure("text follows the document") }
      return value
    }
  }

  private mutating func value() throws(JSONSyntaxError) -> JSONValue {
    switch scanner.peek() {
    case nil: throw scanner.failure("the document ends early")
    case UInt8(ascii: "{"):
      return try nested { (reader) throws(JSONSyntaxError) in try reader.object() }
    case UInt8(ascii: "["):
      return try nested { (reader) throws(JSONSyntaxError) in try reader.array() }
    case UInt8(ascii: "\""): return .string(try scanner.string())
    case _ where scanner.take(word: "true"): return .bool(true)
    case _ where scanner.take(word: "false"): return .bool(false)
    case _ where scanner.take(word: "null"): return .null
    default: return try number()
    }
  }

  private mutating func nested(
    _ read: (inout JSONReader) throws(JSONSyntaxError) -> JSONValue
  ) throws(JSONSyntaxError) -> JSONValue {
    depth += 1
    guard depth <= Self.depthLimit else { throw scanner.failure("it is nested too deeply") }
    let value = try read(&self)
    depth -= 1
    return value
  }

  private mutating func object() throws(JSONSyntaxError) -> JSONValue {
    try scanner.expect("{")
    var members: [(key: String, value: JSONValue)] = []
    var keys: Set<Key> = []
    if scanner.take("}") { return .object([]) }
    repeat {
      guard scanner.peek() == UInt8(ascii: "\"") else {
        throw scanner.failure("a key in quotation marks is expected")
      }
      let key = try scanner.string()
      guard keys.insert(Key(text: key)).inserted else {
        throw scanner.failure("key '\(key)' is repeated")
      }
      guard scanner.take(":") else { throw scanner.failure("':' is expected") }
      members.append((key, try value()))
    } while try continues(before: "}")
    return .object(members)
  }

  private mutating func array() throws(JSONSyntaxError) -> JSONValue {
    try scanner.expect("[")
    var elements: [JSONValue] = []
    if scanner.take("]") { return .array([]) }
    repeat { elements.append(try value()) } while try continues(before: "]")
    return .array(elements)
  }

  /// Reads the comma before the next element, or the bracket that ends the list.
  private mutating func continues(
    before bracket: Unicode.Scalar
  ) throws(JSONSyntaxError) -> Bool {
    if scanner.take(",") { return true }
    if scanner.take(bracket) { return false }
    throw scanner.failure(
      scanner.peek() == nil ? "the document ends early" : "',' or '\(bracket)' is expected")
  }

  private mutating func number() throws(JSONSyntaxError) -> JSONValue {
    let (text, isInteger) = try scanner.number()
    if isInteger, let value = Int(text) { return .integer(value) }
    // A number beyond the range of a double parses as infinite.
    guard let value = Double(text), value.isFinite else {
      let shown = text.count > 24 ? "\(text.prefix(20))… of \(text.count) characters" : text
      throw scanner.failure("number \(shown) is out of range")
    }
    return .number(value)
  }
}

/// A key that equals another only in the same bytes; strings are equal when they are canonically
/// equivalent.
private struct Key: Hashable {
  let text: String

  static func == (a: Key, b: Key) -> Bool {
    a.text.utf8.elementsEqual(b.text.utf8)
  }

  func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}
