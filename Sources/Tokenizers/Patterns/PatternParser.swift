/// Parses the regular expressions of published tokenizers, in the syntax of Oniguruma; the error
/// for an unsupported construct names it.
struct PatternParser {
  private let scalars: [Unicode.Scalar]
  private var position = 0
  private var ignoresCase = false
  private var depth = 0

  /// Parses `pattern` into its syntax tree.
  static func parse(_ pattern: String) throws(PatternError) -> PatternNode {
    var parser = PatternParser(scalars: Array(pattern.unicodeScalars))
    let node = try parser.alternatives()
    if parser.position < parser.scalars.count { throw PatternError(construct: "an unmatched ')'") }
    return node
  }

  private init(scalars: [Unicode.Scalar]) {
    self.scalars = scalars
  }

  private var next: Unicode.Scalar? {
    position < scalars.count ? scalars[position] : nil
  }

  private mutating func take(_ text: String) -> Bool {
    let wanted = Array(text.unicodeScalars)
    guard scalars[position...].starts(with: wanted) else { return false }
    position += wanted.count
    return true
  }

  private mutating func alternatives() throws(PatternError) -> PatternNode {
    depth += 1
    if depth > 64 { throw PatternError(construct: "groups nested more than 64 deep") }
    var branches = [try sequence()]
    while take("|") { branches.append(try sequence()) }
    depth -= 1
    return branches.count == 1 ? branches[0] : .alternatives(branches)
  }

  private mutating func sequence() throws(PatternError) -> PatternNode {
    var nodes: [PatternNode] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      nodes.append(try quantified(try atom()))
    }
    return nodes.count == 1 ? nodes[0] : .sequence(nodes)
  }

  private mutating func quantified(_ atom: PatternNode) throws(PatternError) -> PatternNode {
    var node = atom
    while true {
      let bounds: (Int, Int)
      if take("?") {
        bounds = (0, 1)
      } else if take("*") {
        bounds = (0, Int.max)
      } else if take("+") {
        bounds = (1, Int.max)
      } else if next == "{", let counts = try counts() {
        bounds = counts
      } else {
        return node
      }
      let kind: PatternNode.Kind = take("?") ? .lazy : take("+") ? .possessive : .greedy
      if bounds.1 == Int.max, node.isNullable {
        throw PatternError(construct: "a repetition of a possibly empty pattern")
      }
      node = .repeated(node, minimum: bounds.0, maximum: bounds.1, kind)
    }
  }

  /// Parses `{n}`, `{n,}`, `{,m}` or `{n,m}`; nil when the brace is a literal.
  private mutating func counts() throws(PatternError) -> (Int, Int)? {
    let start = position
    position += 1
    let low = number()
    var high = low
    if take(",") { high = number() ?? Int.max }
    guard take("}"), low != nil || high != nil else {
      position = start
      return nil
    }
    let bounds = (low ?? 0, high ?? Int.max)
    guard bounds.0 <= bounds.1, bounds.0 <= 1000, bounds.1 <= 1000 || bounds.1 == Int.max else {
      throw PatternError(construct: "a repetition count above 1000")
    }
    return bounds
  }

  private mutating func number() -> Int? {
    let start = position
    while let digit = next, ("0"..."9").contains(digit), position - start < 6 { position += 1 }
    return Int(String(String.UnicodeScalarView(scalars[start..<position])))
  }

  private mutating func atom() throws(PatternError) -> PatternNode {
    guard let scalar = next else { throw PatternError(construct: "an unexpected end") }
    switch scalar {
    case "(": return try group()
    case "[": return .set(completed(try characterClass()))
    case "^", "$":
      position += 1
      return .anchor(scalar == "^" ? .lineStart : .lineEnd)
    case ".":
      position += 1
      var set = PatternSet([.range(0x0A...0x0A)])
      set.isNegated = true
      return .set(completed(set))
    case "\\":
      if take("\\A") { return .anchor(.textStart) }
      if take("\\z") { return .anchor(.textEnd) }
      return .set(completed(PatternSet([try item()])))
    case "*", "+", "?": throw PatternError(construct: "a quantifier without an operand")
    default: return .set(completed(PatternSet([try item()])))
    }
  }

  private func completed(_ set: PatternSet) -> PatternSet {
    var set = set
    if ignoresCase { set.foldCase() }
    set.complete()
    return set
  }

  private mutating func group() throws(PatternError) -> PatternNode {
    let outerCase = ignoresCase
    var lookAhead: Bool?
    if take("(?i:") {
      ignoresCase = true
    } else if take("(?=") {
      lookAhead = false
    } else if take("(?!") {
      lookAhead = true
    } else if !take("(?:") {
      position += 1
      if next == "?" {
        let end = min(position + 3, scalars.count)
        let text = String(String.UnicodeScalarView(scalars[position..<end]))
        throw PatternError(construct: "group '(\(text)'")
      }
    }
    let node = try alternatives()
    guard take(")") else { throw PatternError(construct: "an unmatched '('") }
    ignoresCase = outerCase
    return lookAhead.map { .lookahead(node, isNegative: $0) } ?? node
  }

  private mutating func characterClass() throws(PatternError) -> PatternSet {
    position += 1
    var set = PatternSet()
    set.isNegated = take("^")
    var isFirst = true
    while true {
      guard let scalar = next else { throw PatternError(construct: "an unmatched '['") }
      if scalar == "]", !isFirst { break }
      isFirst = false
      if scalar == "[" { throw PatternError(construct: "a nested character class") }
      if scalar == "&", take("&&") { throw PatternError(construct: "'&&' in a class") }
      let item = try self.item()
      if next == "-", position + 1 < scalars.count, scalars[position + 1] != "]",
        case .range(let low) = item
      {
        position += 1
        guard case .range(let high) = try self.item(), low.lowerBound <= high.upperBound else {
          throw PatternError(construct: "a range in reverse order")
        }
        set.add(.range(low.lowerBound...high.upperBound))
      } else {
        set.add(item)
      }
    }
    position += 1
    return set
  }

  /// Parses one scalar or an escape for a set of scalars.
  private mutating func item() throws(PatternError) -> PatternSet.Item {
    let scalar = scalars[position]
    position += 1
    guard scalar == "\\" else { return .range(scalar.value...scalar.value) }
    guard let escaped = next else { throw PatternError(construct: "an unexpected end") }
    position += 1
    switch escaped {
    case "s": return .whiteSpace
    case "S": return .not(.whiteSpace)
    case "d", "D", "w", "W":
      let names = escaped == "d" || escaped == "D" ? ["Nd"] : ["L", "M", "Nd", "Pc"]
      let mask = names.compactMap(GeneralCategories.mask).reduce(0, |)
      return ("A"..."Z").contains(escaped) ? .not(.categories(mask)) : .categories(mask)
    case "p", "P": return try property(isNegated: escaped == "P")
    case "x", "u": return try hexadecimal(escaped)
    case "r": return .range(0x0D...0x0D)
    case "n": return .range(0x0A...0x0A)
    case "t": return .range(0x09...0x09)
    case "v": return .range(0x0B...0x0B)
    case "f": return .range(0x0C...0x0C)
    case "0"..."9", "a"..."z", "A"..."Z": throw PatternError(construct: "escape '\\\(escaped)'")
    default: return .range(escaped.value...escaped.value)
    }
  }

  private mutating func property(isNegated: Bool) throws(PatternError) -> PatternSet.Item {
    guard take("{"), let end = scalars[position...].firstIndex(of: "}") else {
      throw PatternError(construct: "'\\p' without braces")
    }
    var name = String(String.UnicodeScalarView(scalars[position..<end]))
    position = end + 1
    let isInverted = name.hasPrefix("^")
    if isInverted { name.removeFirst() }
    guard let mask = GeneralCategories.mask(named: name) else {
      throw PatternError(construct: "property '\\p{\(name)}'")
    }
    return isNegated != isInverted ? .not(.categories(mask)) : .categories(mask)
  }

  private mutating func hexadecimal(_ kind: Unicode.Scalar) throws(PatternError)
    -> PatternSet.Item
  {
    var digits = ""
    if take("{") {
      while let scalar = next, scalar != "}" {
        digits.unicodeScalars.append(scalar)
        position += 1
      }
      position += 1
    } else {
      let length = kind == "x" ? 2 : 4
      while let scalar = next, digits.count < length, scalar.properties.isHexDigit {
        digits.unicodeScalars.append(scalar)
        position += 1
      }
    }
    guard let value = UInt32(digits, radix: 16), value < 0x110000 else {
      throw PatternError(construct: "escape '\\\(kind)'")
    }
    return .range(value...value)
  }
}
