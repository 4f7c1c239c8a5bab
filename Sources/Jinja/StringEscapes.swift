/// The escape sequences of Python's string literals.
enum StringEscapes {
  private static let single: [Unicode.Scalar: Unicode.Scalar] = [
    "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}", "b": "\u{8}", "f": "\u{C}", "n": "\n",
    "r": "\r", "t": "\t", "v": "\u{B}",
  ]

  /// Returns the contents of a string literal with its escapes resolved; nil when one is invalid.
  ///
  /// A backslash before any other character is kept, as in Python.
  static func decoded(_ source: ArraySlice<Unicode.Scalar>) -> String? {
    var result = String.UnicodeScalarView()
    var rest = source
    while let scalar = rest.popFirst() {
      guard scalar == "\\", let next = rest.popFirst() else {
        result.append(scalar)
        continue
      }
      switch next {
      case "\n": break
      case "x", "u", "U":
        let count = next == "x" ? 2 : next == "u" ? 4 : 8
        guard let escaped = number(rest.prefix(count), radix: 16, count: count) else { return nil }
        result.append(escaped)
        rest = rest.dropFirst(count)
      case "0"..."7":
        rest = source[(rest.startIndex - 1)...]
        let digits = rest.prefix(3).prefix { ("0"..."7").contains($0) }
        guard let escaped = number(digits, radix: 8, count: digits.count) else { return nil }
        result.append(escaped)
        rest = rest.dropFirst(digits.count)
      case "N": return nil
      default:
        if let escaped = single[next] {
          result.append(escaped)
        } else {
          result.append("\\")
          result.append(next)
        }
      }
    }
    return String(result)
  }

  private static func number(
    _ digits: ArraySlice<Unicode.Scalar>, radix: Int, count: Int
  ) -> Unicode.Scalar? {
    guard digits.count == count, !digits.contains("+"), !digits.contains("-") else { return nil }
    let text = String(String.UnicodeScalarView(digits))
    return UInt32(text, radix: radix).flatMap(Unicode.Scalar.init)
  }
}
