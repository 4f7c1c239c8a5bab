/// A check before parsing against YAML that would take the parser exponential time.
///
/// Yams shares the nodes that aliases refer to, so a chain of aliases ("billion laughs") costs
/// nothing until the tree is walked, which `TreeBuilder` does within a budget. But Yams itself
/// walks it earlier: its search for duplicate keys hashes every key, and a key that is a list of
/// aliases to lists of aliases … takes exponential time. Such keys have no use here, so text that
/// may have them is refused before it is parsed.
enum AliasBomb {
  /// True when `yaml` may have an anchor, an alias, and a key that is not a scalar.
  ///
  /// The check reads bytes without regard to quotes. It has no false negatives and rare false
  /// positives, such as `run: "[a]: b"` in a file that has aliases elsewhere. The output of
  /// `YAMLText.doubleQuoted` has no `&` that counts as an anchor.
  static func isPossible(in yaml: String) -> Bool {
    var found = Signs()
    for line in yaml.utf8.split(whereSeparator: isLineBreak) {
      let text = line.drop(while: isBlank)
      // A comment line, or a line inside a text. Only a quote could end that text and start a
      // token.
      if text.first == UInt8(ascii: "#"), !text.contains(where: "\"'".utf8.contains) { continue }
      scan(text, for: &found)
    }
    return found.anchor && found.alias && found.complexKey
  }

  private struct Signs {
    var anchor = false
    var alias = false
    var complexKey = false
  }

  /// Adds the signs in one line to `found`; neither an alias nor the key before a colon spans
  /// lines.
  private static func scan(_ line: Substring.UTF8View, for found: inout Signs) {
    var last = newline
    var lastVisible = newline
    var isInAlias = false
    for byte in line {
      switch byte {
      case UInt8(ascii: "*") where separators.contains(last):
        found.alias = true
        isInAlias = true
      case UInt8(ascii: "&") where separators.contains(last):
        found.anchor = true
      case UInt8(ascii: "?") where separators.contains(last):
        found.complexKey = true
      case UInt8(ascii: ":"):
        let closes = lastVisible == UInt8(ascii: "]") || lastVisible == UInt8(ascii: "}")
        if closes || isInAlias { found.complexKey = true }
        isInAlias = false
      case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"),
        UInt8(ascii: "}"):
        isInAlias = false
      default:
        break
      }
      last = byte
      if !isBlank(byte) { lastVisible = byte }
    }
  }

  private static let newline = UInt8(ascii: "\n")

  /// Bytes after which a token may start; those from 0x85 on are the last bytes of the line breaks
  /// U+0085, U+2028 and U+2029 and of the byte order mark.
  private static let separators = Array(" \t\n,[]{}:-?\"'".utf8) + [0x85, 0xA8, 0xA9, 0xBF]

  private static func isLineBreak(_ byte: UInt8) -> Bool {
    byte == newline || byte == UInt8(ascii: "\r")
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
  }
}
