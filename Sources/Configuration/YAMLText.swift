/// Writing of texts as YAML scalars.
enum YAMLText {
  /// `text` unquoted if every YAML reader reads it as this text, otherwise in double quotes.
  static func scalar(_ text: String) -> String {
    isPlain(text) ? text : doubleQuoted(text)
  }

  /// Words that some version of YAML reads as null or a boolean.
  private static let reserved = [
    "null", "true", "false", "yes", "no", "on", "off", "y", "n",
  ]

  private static func isPlain(_ text: String) -> Bool {
    guard let first = text.first, text.utf8.count <= 200 else { return false }
    let isWord = { (character: Character) in
      character.isASCII && character.isLetter || "_/".contains(character)
    }
    let isInside = { (character: Character) in
      isWord(character) || character.isASCII && character.isNumber
        || "-.*+@=".contains(character)
    }
    return isWord(first) && text.allSatisfy(isInside)
      && !reserved.contains(text.lowercased())
  }

  /// `text` in double quotes, on one line.
  static func doubleQuoted(_ text: String) -> String {
    var result = "\""
    var follows = false
    for scalar in text.unicodeScalars {
      // `AliasBomb` would count it as an anchor.
      let isLikeAnchor = scalar == "&" && !follows
      follows = scalar.isASCII && scalar.properties.isAlphabetic
      switch scalar.value {
      case 0x22: result += "\\\""
      case 0x5C: result += "\\\\"
      case 0x0A: result += "\\n"
      case 0x0D: result += "\\r"
      case 0x09: result += "\\t"
      case _ where isLikeAnchor, 0..<0x20, 0x7F...0xA0:
        result += "\\x" + hexadecimal(scalar.value, digits: 2)
      // Line breaks of Unicode, the byte order mark, private use and non-characters: some are
      // outside YAML's printable set, and the rest look alike.
      case 0x2028, 0x2029, 0xE000...0xF8FF, 0xFEFF, 0xFFF0...0xFFFF:
        result += "\\u" + hexadecimal(scalar.value, digits: 4)
      default:
        result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
