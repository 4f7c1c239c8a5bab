// Equal values have equal texts: members keep their order. A number has the fewest digits that read
// back as the same 64-bit number; NaN and the infinities, which JSON lacks, become null. Strings
// have no escapes beyond those that JSON requires, as in the files of Hugging Face's libraries.

extension JSONValue {
  /// The text on one line, without spaces, as UTF-8.
  package var compact: [UInt8] {
    bytes(indents: false, splitsLines: true)
  }

  /// The compact text, in which no reader sees the end of a line.
  package var line: [UInt8] {
    bytes(indents: false, splitsLines: false)
  }

  /// The text with one item per line, indented by two spaces per level, as UTF-8.
  package var indented: [UInt8] {
    bytes(indents: true, splitsLines: true)
  }

  private func bytes(indents: Bool, splitsLines: Bool) -> [UInt8] {
    var writer = Writer(indents: indents, splitsLines: splitsLines)
    writer.write(self)
    return writer.bytes
  }

  private struct Writer {
    let indents: Bool
    /// False to escape the separators of Unicode too, at which some readers of lines split.
    let splitsLines: Bool
    var bytes: [UInt8] = []
    var level = 0

    mutating func write(_ value: JSONValue) {
      switch value {
      case .null: bytes += "null".utf8
      case .bool(let value): bytes += (value ? "true" : "false").utf8
      case .integer(let value): bytes += String(value).utf8
      case .number(let value): bytes += (value.isFinite ? String(value) : "null").utf8
      case .string(let value): write(quoted: value)
      case .array(let elements):
        write(elements, between: "[", "]") { $0.write($1) }
      case .object(let members):
        write(members, between: "{", "}") {
          $0.write(quoted: $1.key)
          $0.bytes += ($0.indents ? ": " : ":").utf8
          $0.write($1.value)
        }
      }
    }

    private mutating func write<Element>(
      _ elements: [Element], between opening: Unicode.Scalar, _ closing: Unicode.Scalar,
      _ write: (inout Writer, Element) -> Void
    ) {
      bytes.append(UInt8(ascii: opening))
      level += 1
      for (index, element) in elements.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        breakLine()
        write(&self, element)
      }
      level -= 1
      if !elements.isEmpty { breakLine() }
      bytes.append(UInt8(ascii: closing))
    }

    private mutating func breakLine() {
      guard indents else { return }
      bytes.append(0x0A)
      bytes += repeatElement(UInt8(ascii: " "), count: 2 * level)
    }

    private mutating func write(quoted text: String) {
      bytes.append(UInt8(ascii: "\""))
      for scalar in text.unicodeScalars {
        if let escape = scalar.jsonEscape {
          bytes += escape.utf8
        } else if !splitsLines, "\u{7F}\u{85}\u{2028}\u{2029}".unicodeScalars.contains(scalar) {
          bytes += UInt16(scalar.value).jsonEscape.utf8
        } else {
          bytes += scalar.utf8
        }
      }
      bytes.append(UInt8(ascii: "\""))
    }
  }
}

extension Unicode.Scalar {
  /// The escape that JSON requires for this character in a string, in its short form if it has one;
  /// nil when it requires none.
  package var jsonEscape: String? {
    switch self {
    case "\"": "\\\""
    case "\\": "\\\\"
    case "\u{8}": "\\b"
    case "\t": "\\t"
    case "\n": "\\n"
    case "\u{C}": "\\f"
    case "\r": "\\r"
    case "\u{0}"..<"\u{20}": UInt16(value).jsonEscape
    default: nil
    }
  }
}

extension UInt16 {
  /// The escape of this UTF-16 code unit, such as `\u001f`.
  package var jsonEscape: String {
    "\\u" + hexadecimal(width: 4)
  }
}

extension FixedWidthInteger {
  /// Returns the number in lower-case hexadecimal digits, with zeros in front up to `width` digits.
  package func hexadecimal(width: Int) -> String {
    let digits = String(self, radix: 16)
    return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
  }
}
