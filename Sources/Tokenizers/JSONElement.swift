/// A JSON document with its members in the order of the file.
///
/// This type replaces Foundation's decoding because vocabularies are keyed by text: Swift
/// dictionaries treat canonically equivalent strings as one key, and Foundation silently keeps the
/// last of two equal keys. Both would silently change ids. The same holds for the fields of
/// records, which Datasets reads with this type.
package enum JSONElement: Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  case real(Double)
  case string(String)
  case array([JSONElement])
  case object([(key: String, value: JSONElement)])

  /// The value of member `key`; nil when there is no such member or this is not an object.
  package subscript(key: String) -> JSONElement? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  package var isNull: Bool {
    if case .null = self { true } else { false }
  }

  package var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  package var integer: Int? {
    if case .integer(let value) = self { value } else { nil }
  }

  /// The value of an integer or real number; nil for any other element.
  package var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value): value
    default: nil
    }
  }

  package var string: String? {
    if case .string(let value) = self { value } else { nil }
  }

  package var array: [JSONElement]? {
    if case .array(let value) = self { value } else { nil }
  }

  package var members: [(key: String, value: JSONElement)]? {
    if case .object(let value) = self { value } else { nil }
  }

  /// Returns the document as UTF-8 in the layout of Hugging Face's files: two spaces of
  /// indentation, no escapes beyond those that JSON requires.
  package func serialized() -> [UInt8] {
    var bytes: [UInt8] = []
    write(to: &bytes, indentation: 0)
    return bytes
  }

  private func write(to bytes: inout [UInt8], indentation: Int) {
    switch self {
    case .null: bytes += "null".utf8
    case .bool(let value): bytes += (value ? "true" : "false").utf8
    case .integer(let value): bytes += String(value).utf8
    case .real(let value): bytes += String(value).utf8
    case .string(let value): Self.write(value, to: &bytes)
    case .array(let elements):
      Self.writeList(elements, brackets: ("[", "]"), to: &bytes, indentation) {
        $0.write(to: &$1, indentation: indentation + 2)
      }
    case .object(let members):
      Self.writeList(members, brackets: ("{", "}"), to: &bytes, indentation) {
        Self.write($0.key, to: &$1)
        $1 += ": ".utf8
        $0.value.write(to: &$1, indentation: indentation + 2)
      }
    }
  }

  private static func writeList<Element>(
    _ elements: [Element], brackets: (String, String), to bytes: inout [UInt8],
    _ indentation: Int, _ write: (Element, inout [UInt8]) -> Void
  ) {
    bytes += brackets.0.utf8
    for (index, element) in elements.enumerated() {
      bytes += (index == 0 ? "\n" : ",\n").utf8
      bytes += repeatElement(UInt8(ascii: " "), count: indentation + 2)
      write(element, &bytes)
    }
    if !elements.isEmpty {
      bytes.append(UInt8(ascii: "\n"))
      bytes += repeatElement(UInt8(ascii: " "), count: indentation)
    }
    bytes += brackets.1.utf8
  }

  private static func write(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): bytes += "\\\"".utf8
      case UInt8(ascii: "\\"): bytes += "\\\\".utf8
      case 0x08: bytes += "\\b".utf8
      case 0x09: bytes += "\\t".utf8
      case 0x0A: bytes += "\\n".utf8
      case 0x0C: bytes += "\\f".utf8
      case 0x0D: bytes += "\\r".utf8
      case 0..<0x20:
        let digits = String(byte, radix: 16)
        bytes += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
