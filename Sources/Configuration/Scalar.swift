/// Parsing of the text of scalars.
///
/// Quoted scalars are always texts.
///
///     integer   [+-] digits, _ between digits allowed; no leading zero, which means octal in YAML
///               1.1 but not in 1.2; or a number whose value is integral: 1e3, 2.0
///     number    [+-] digits [. digits] [e [+-] digits], or . digits; finite
///     boolean   true, false
///     null      nothing, ~, null
enum Scalar {
  static func isNull(_ text: String) -> Bool {
    ["", "~", "null", "Null", "NULL"].contains(text)
  }

  static func integer(_ node: YAMLDocument.Node) -> Int? {
    guard let text = plain(node) else { return nil }
    if isDecimalInteger(text) {
      return Int(text.filter { $0 != "_" })
    }
    // Above 2⁵³ neighbouring integers are equal as Double.
    guard isNumber(text), text.prefixMatch(of: /[+-]?0[0-9]/) == nil, let value = number(node),
      abs(value) <= 0x1p53
    else { return nil }
    return Int(exactly: value)
  }

  static func number(_ node: YAMLDocument.Node) -> Double? {
    guard let text = plain(node) else { return nil }
    let isInteger = isDecimalInteger(text)
    guard isInteger || isNumber(text),
      let value = Double(isInteger ? text.filter { $0 != "_" } : text), value.isFinite
    else { return nil }
    // A number too small for a Double would silently become zero.
    let mantissa = text.prefix { $0 != "e" && $0 != "E" }
    guard value != 0 || !mantissa.contains(where: { ("1"..."9").contains($0) }) else { return nil }
    return value
  }

  static func boolean(_ node: YAMLDocument.Node) -> Bool? {
    switch plain(node) {
    case "true": true
    case "false": false
    default: nil
    }
  }

  static func text(_ node: YAMLDocument.Node) -> String? {
    guard case .scalar(let text, _) = node.content, !node.isNull else { return nil }
    return text
  }

  private static func plain(_ node: YAMLDocument.Node) -> String? {
    guard case .scalar(let text, isPlain: true) = node.content else { return nil }
    return text
  }

  /// True when `text` is [+-]digits, with single underscores between digits and no leading zero.
  static func isDecimalInteger(_ text: String) -> Bool {
    text.wholeMatch(of: /[+-]?(?:0|[1-9](?:_?[0-9])*+)/) != nil
  }

  /// True when `text` is a decimal number of any magnitude.
  static func isNumber(_ text: String) -> Bool {
    text.wholeMatch(of: /[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?/) != nil
  }
}
