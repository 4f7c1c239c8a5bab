extension Renderer {
  /// Applies a filter that takes a string.
  func textFilter(
    _ text: Text, _ name: String, _ arguments: Arguments
  ) throws(TemplateError) -> Value {
    try spend(8 * text.count)
    if text.isSafe, !["string", "escape", "e", "safe", "replace", "wordcount"].contains(name) {
      throw unsupported("the filter '\(name)' after 'safe'")
    }
    switch name {
    case "trim":
      let set = try arguments.bound(to: ["chars"], of: name)[0]
      if let set, case .text(let characters) = set { return .text(text.stripped(characters)) }
      return .text(text.stripped())
    case "replace":
      let values = try arguments.bound(to: ["old", "new", "count"], of: name)
      guard let old = values[0], let new = values[1] else {
        throw failure("'replace' needs the old and the new string")
      }
      var most = -1
      if let count = values[2], case .integer = count { most = try wholeArgument(count) }
      return .text(try replaced(text, try self.text(of: old), try self.text(of: new), most))
    case "center":
      let width = try arguments.bound(to: ["width"], of: name)[0] ?? .integer(80)
      var centring = Arguments(line: line)
      centring.positional = [width]
      return try call("center", of: text, centring)
    case "indent": return .text(try indented(text, arguments))
    case "truncate": return .text(try truncated(text, arguments))
    case "format":
      guard arguments.keywords.isEmpty else { throw unsupported("'format' with named values") }
      let values = try located { () throws(ValueError) in try ValueList(arguments.positional) }
      return .text(try formatted(text, with: .tuple(values)))
    default:
      _ = try arguments.bound(to: [], of: name)
      switch name {
      case "upper": return .text(text.uppercased)
      case "lower": return .text(text.lowercased)
      case "capitalize": return .text(text.capitalized)
      case "title": return .text(titled(text))
      case "wordcount": return .integer(words(text))
      case "string": return .text(text)
      case "escape", "e": return .text(text.escaped)
      case "safe":
        var safe = text
        safe.isSafe = true
        return .text(safe)
      default: throw unsupported("the filter '\(name)'")
      }
    }
  }

  /// Returns jinja2's `title`: upper case at the start and after white space, hyphens and opening
  /// brackets, lower case elsewhere.
  private func titled(_ text: Text) -> Text {
    func separates(_ letter: Letter) -> Bool {
      letter.scalar.isPythonSpace || ["-", "(", "{", "[", "<"].contains(letter.scalar)
    }
    var result = Text()
    var start = 0
    while start < text.count {
      var end = start + 1
      let kind = separates(text.letters[start])
      while end < text.count, separates(text.letters[end]) == kind { end += 1 }
      result += text[start..<(start + 1)].uppercased + text[(start + 1)..<end].lowercased
      start = end
    }
    return result
  }

  private func words(_ text: Text) -> Int {
    var count = 0
    var isInside = false
    for letter in text.letters {
      let isWord = letter.scalar.isPythonWord
      if isWord && !isInside { count += 1 }
      isInside = isWord
    }
    return count
  }

  private func indented(_ text: Text, _ arguments: Arguments) throws(TemplateError) -> Text {
    let values = try arguments.bound(to: ["width", "first", "blank"], of: "indent")
    var indentation = Text()
    if let width = values[0], case .text(let given) = width {
      indentation = given
    } else {
      let width = max(0, try wholeArgument(values[0], 4))
      try checkSize(width)
      indentation = Text(repeatElement(Letter(" "), count: width))
    }
    let newline = Text("\n")
    var lines = (text + newline).lines()
    let size = Double(lines.count) * Double(indentation.count + 1) + Double(text.count)
    try checkSize(Int(min(size, 1e15)))
    let indentsBlank = values[2]?.isTrue ?? false
    for index in lines.indices.dropFirst() where indentsBlank || !lines[index].isEmpty {
      lines[index] = indentation + lines[index]
    }
    let result = newline.joined(lines)
    return values[1]?.isTrue ?? false ? indentation + result : result
  }

  private func truncated(_ text: Text, _ arguments: Arguments) throws(TemplateError) -> Text {
    let values = try arguments.bound(to: ["length", "killwords", "end", "leeway"], of: "truncate")
    let length = try wholeArgument(values[0], 255)
    let end = try textArgument(values[2], Text("..."))
    let leeway = try wholeArgument(values[3], 5)
    guard length >= end.count, leeway >= 0, leeway < 1 << 32, length < 1 << 32 else {
      throw failure(
        "'truncate' needs a length of at least \(end.count), that of its end, and a leeway from 0"
      )
    }
    if text.count <= length + leeway { return text }
    let cut = text[0..<(length - end.count)]
    if values[1]?.isTrue ?? false { return cut + end }
    return (cut.lastIndex(of: Text(" ")).map { cut[0..<$0] } ?? cut) + end
  }
}
