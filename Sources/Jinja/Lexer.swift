/// Splits a template's source into tokens.
///
/// White space is removed as in jinja2 with `trim_blocks` and `lstrip_blocks`:
///
/// - `-` beside a delimiter removes all white space on that side.
/// - The line feed after a block or comment is removed, unless the tag ends with `+`.
/// - White space between the start of a line and a block or comment is removed, unless the tag
///   begins with `+`.
/// - One line feed at the end of the source is removed. All line ends become line feeds.
struct Lexer {
  private let source: [Unicode.Scalar]
  private var position = 0
  private var line = 1
  private var counted = 0
  /// True when the text read last ended with a line feed.
  private var startsLine = true
  private var tokens: [Token] = []

  /// Returns the tokens of `text`.
  static func tokens(of text: String) throws(TemplateError) -> [Token] {
    var lexer = Lexer(text)
    try lexer.readAll()
    return lexer.tokens
  }

  private init(_ text: String) {
    var scalars: [Unicode.Scalar] = []
    var last: Unicode.Scalar = " "
    for scalar in text.unicodeScalars {
      if scalar == "\n" && last == "\r" { scalars.removeLast() }
      scalars.append(scalar == "\r" ? "\n" : scalar)
      last = scalar
    }
    if scalars.last == "\n" { scalars.removeLast() }
    source = scalars
  }

  // MARK: Positions

  private func peek(_ offset: Int = 0) -> Unicode.Scalar? {
    position + offset < source.count ? source[position + offset] : nil
  }

  private func matches(_ text: StaticString, at index: Int) -> Bool {
    guard index + text.utf8CodeUnitCount <= source.count else { return false }
    return text.withUTF8Buffer { bytes in
      bytes.indices.allSatisfy { source[index + $0] == Unicode.Scalar(bytes[$0]) }
    }
  }

  private func spaces(from index: Int) -> Int {
    var index = index
    while index < source.count, source[index].isPythonSpace { index += 1 }
    return index
  }

  /// Returns the line of `position`, counted from 1.
  private mutating func currentLine() -> Int {
    while counted < position {
      if source[counted] == "\n" { line += 1 }
      counted += 1
    }
    return line
  }

  private mutating func failure(_ reason: String) -> TemplateError {
    TemplateError(line: currentLine(), .syntax(reason))
  }

  private mutating func emit(_ kind: Token.Kind) {
    tokens.append(Token(kind: kind, line: currentLine()))
  }

  // MARK: Outside of tags

  private mutating func readAll() throws(TemplateError) {
    while position < source.count {
      guard let begin = nextTag() else {
        emit(.data(Array(source[position...])))
        position = source.count
        break
      }
      let kind = source[begin + 1]
      if kind == "%", let body = rawBody(from: begin) {
        emitData(upTo: begin, strips: kind)
        position = body
        startsLine = position > 0 && source[position - 1] == "\n"
        try readRaw()
        continue
      }
      emitData(upTo: begin, strips: kind)
      position = begin + 2
      if position < source.count, source[position] == "-" || source[position] == "+" {
        position += 1
      }
      switch kind {
      case "#": try skipComment()
      case "%":
        emit(.blockBegin)
        try readTag(isBlock: true)
      default:
        emit(.variableBegin)
        try readTag(isBlock: false)
      }
      startsLine = source[position - 1] == "\n"
    }
    emit(.end)
  }

  private func nextTag() -> Int? {
    var index = position
    while index + 1 < source.count {
      if source[index] == "{", ["{", "%", "#"].contains(source[index + 1]) { return index }
      index += 1
    }
    return nil
  }

  /// Emits the text before the tag at `begin`, without the white space that the tag removes.
  private mutating func emitData(upTo begin: Int, strips kind: Unicode.Scalar) {
    var end = begin
    let sign = begin + 2 < source.count ? source[begin + 2] : " "
    if sign == "-" {
      while end > position, source[end - 1].isPythonSpace { end -= 1 }
    } else if sign != "+" && kind != "{" {
      var start = end
      while start > position, source[start - 1] != "\n", source[start - 1].isPythonSpace {
        start -= 1
      }
      let isLineStart = start > position ? source[start - 1] == "\n" : startsLine
      if isLineStart { end = start }
    }
    if end > position { emit(.data(Array(source[position..<end]))) }
  }

  private mutating func skipComment() throws(TemplateError) {
    var index = position
    while index < source.count {
      if matches("#}", at: index) {
        position = index + 2
        if peek() == "\n" { position += 1 }
        return
      }
      if matches("-#}", at: index) {
        position = spaces(from: index + 3)
        return
      }
      if matches("+#}", at: index) {
        position = index + 3
        return
      }
      index += 1
    }
    throw failure("a comment is not closed")
  }

  /// Returns the start of the text after the `raw` tag at `begin`; nil for another tag.
  private func rawBody(from begin: Int) -> Int? {
    var index = begin + 2
    if index < source.count, source[index] == "-" || source[index] == "+" { index += 1 }
    index = spaces(from: index)
    guard matches("raw", at: index) else { return nil }
    index = spaces(from: index + 3)
    if matches("-%}", at: index) { return spaces(from: index + 3) }
    return matches("%}", at: index) ? index + 2 : nil
  }

  private mutating func readRaw() throws(TemplateError) {
    var begin = position
    while begin < source.count {
      defer { begin += 1 }
      guard matches("{%", at: begin) else { continue }
      var index = begin + 2
      if index < source.count, source[index] == "-" || source[index] == "+" { index += 1 }
      index = spaces(from: index)
      guard matches("endraw", at: index) else { continue }
      guard let end = blockEnd(at: spaces(from: index + 6)) else { continue }
      emitData(upTo: begin, strips: "%")
      position = end
      startsLine = source[end - 1] == "\n"
      return
    }
    throw failure("a raw block is not closed")
  }

  /// Returns the position after the `%}` at `index`; nil when there is none.
  private func blockEnd(at index: Int) -> Int? {
    if matches("-%}", at: index) { return spaces(from: index + 3) }
    if matches("+%}", at: index) { return index + 3 }
    guard matches("%}", at: index) else { return nil }
    return index + 2 < source.count && source[index + 2] == "\n" ? index + 3 : index + 2
  }

  private func variableEnd(at index: Int) -> Int? {
    if matches("-}}", at: index) { return spaces(from: index + 3) }
    return matches("}}", at: index) ? index + 2 : nil
  }

  // MARK: Inside of tags

  private mutating func readTag(isBlock: Bool) throws(TemplateError) {
    var brackets: [Unicode.Scalar] = []
    while true {
      position = spaces(from: position)
      guard let scalar = peek() else { throw failure("a tag is not closed") }
      let end = isBlock ? blockEnd(at: position) : variableEnd(at: position)
      if brackets.isEmpty, let end {
        emit(isBlock ? .blockEnd : .variableEnd)
        position = end
        return
      }
      if ("0"..."9").contains(scalar) {
        try readNumber()
      } else if scalar.startsName {
        let start = position
        while let next = peek(), next.continuesName { position += 1 }
        var name = String.UnicodeScalarView()
        name.append(contentsOf: source[start..<position])
        emit(.name(String(name)))
      } else if scalar == "'" || scalar == "\"" {
        try readString(scalar)
      } else {
        try readSymbol(&brackets)
      }
    }
  }

  private mutating func readNumber() throws(TemplateError) {
    let start = position
    while let next = peek(), ("0"..."9").contains(next) || next == "_" { position += 1 }
    func digitFollows(_ offset: Int) -> Bool {
      peek(offset).map { ("0"..."9").contains($0) } ?? false
    }
    var isReal = false
    if peek() == ".", digitFollows(1), start == 0 || source[start - 1] != "." {
      isReal = true
      position += 1
      while digitFollows(0) { position += 1 }
    }
    if peek() == "e" || peek() == "E" {
      let sign = peek(1) == "+" || peek(1) == "-" ? 2 : 1
      if digitFollows(sign) {
        isReal = true
        position += sign
        while digitFollows(0) { position += 1 }
      }
    }
    let digits = String(String.UnicodeScalarView(source[start..<position].filter { $0 != "_" }))
    if isReal, let value = Double(digits) {
      emit(.real(value))
    } else if let value = Int(digits), digits.count == 1 || digits.first != "0" || value == 0 {
      emit(.integer(value))
    } else {
      throw failure("\(digits) is not a valid number")
    }
  }

  private mutating func readString(_ quote: Unicode.Scalar) throws(TemplateError) {
    var end = position + 1
    while end < source.count, source[end] != quote { end += source[end] == "\\" ? 2 : 1 }
    guard end < source.count else { throw failure("a string is not closed") }
    guard let text = StringEscapes.decoded(source[(position + 1)..<end]) else {
      throw failure("a string has an invalid escape")
    }
    emit(.string(text))
    position = end + 1
  }

  private static let symbols = [
    "//", "**", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "[", "]", "(", ")", "{", "}",
    "<", ">", "=", ".", ":", "|", ",", ";",
  ]

  private mutating func readSymbol(_ brackets: inout [Unicode.Scalar]) throws(TemplateError) {
    let two = String(String.UnicodeScalarView(source[position..<min(source.count, position + 2)]))
    let one = String(source[position])
    guard let symbol = [two, one].first(where: Self.symbols.contains) else {
      throw failure("the character '\(one)' is not allowed in a tag")
    }
    switch symbol {
    case "(": brackets.append(")")
    case "[": brackets.append("]")
    case "{": brackets.append("}")
    case ")", "]", "}":
      guard brackets.popLast() == source[position] else {
        throw failure("'\(symbol)' closes no open bracket")
      }
    default: break
    }
    emit(.symbol(symbol))
    position += symbol.unicodeScalars.count
  }
}
