/// A token of a template's source.
struct Token: Equatable {
  enum Kind: Equatable {
    /// Text outside tags, written unchanged.
    case data([Unicode.Scalar])
    case blockBegin
    case blockEnd
    case variableBegin
    case variableEnd
    case name(String)
    case string(String)
    case integer(Int)
    case real(Double)
    case symbol(String)
    case end
  }

  let kind: Kind
  /// Line of the template, counted from 1.
  let line: Int

  /// The token in words, for error messages.
  var description: String {
    switch kind {
    case .data: "text"
    case .blockBegin: "'{%'"
    case .blockEnd: "'%}'"
    case .variableBegin: "'{{'"
    case .variableEnd: "'}}'"
    case .name(let text), .symbol(let text): "'\(text)'"
    case .string(let text): "the string '\(text.prefix(20))'"
    case .integer(let value): "\(value)"
    case .real(let value): "\(value)"
    case .end: "the end of the template"
    }
  }
}
