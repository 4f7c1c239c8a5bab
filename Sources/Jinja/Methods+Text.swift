extension Renderer {
  /// Calls the method `name` of a string.
  func call(
    _ name: String, of text: Text, _ arguments: Arguments
  ) throws(TemplateError) -> Value {
    try spend(8 * text.count)
    if text.isSafe { throw unsupported("the method '\(name)' of a string after 'safe'") }
    switch name {
    case "strip", "lstrip", "rstrip":
      let set = try arguments.bound(to: ["chars"], of: name)[0]
      return .text(
        text.stripped(
          try characters(set), left: name != "rstrip", right: name != "lstrip"))
    case "split", "rsplit":
      let values = try arguments.bound(to: ["sep", "maxsplit"], of: name)
      let separator = try characters(values[0])
      if separator?.isEmpty == true { throw failure("a separator is empty") }
      let most = try wholeArgument(values[1], -1)
      try spendSearch(separator, in: text)
      return try list(
        of: text.split(separator, most: most, fromRight: name == "rsplit").map { .text($0) })
    case "splitlines":
      let keeps = try arguments.bound(to: ["keepends"], of: name)[0]?.isTrue ?? false
      return try list(of: text.lines(keepsEnds: keeps).map { .text($0) })
    case "partition", "rpartition": return try partition(text, name, arguments)
    case "startswith", "endswith", "removeprefix", "removesuffix":
      return try affix(text, name, arguments)
    case "find", "rfind", "index", "rindex", "count": return try find(text, name, arguments)
    case "replace":
      let values = try arguments.bound(to: ["old", "new", "count"], of: name)
      return .text(
        try replaced(
          text, try textArgument(values[0]), try textArgument(values[1]),
          try wholeArgument(values[2], -1)))
    case "join":
      let parts = try arguments.bound(to: ["iterable"], of: name)[0]
      var texts: [Text] = []
      for part in try elements(of: parts ?? .none) { texts.append(try textArgument(part)) }
      return .text(try joined(texts, by: text))
    case "zfill", "center", "ljust", "rjust": return .text(try padded(text, name, arguments))
    case "format": return .text(try formatted(text, arguments))
    default:
      _ = try arguments.bound(to: [], of: name)
      return try plain(text, name)
    }
  }

  /// Calls a method that takes no arguments.
  private func plain(_ text: Text, _ name: String) throws(TemplateError) -> Value {
    func all(_ test: (Unicode.Scalar) -> Bool) -> Value {
      .bool(!text.isEmpty && text.letters.allSatisfy { test($0.scalar) })
    }
    switch name {
    case "upper": return .text(text.uppercased)
    case "lower": return .text(text.lowercased)
    case "title": return .text(text.titled)
    case "capitalize": return .text(text.capitalized)
    case "swapcase": return .text(text.caseSwapped)
    case "islower": return .bool(text.isLower)
    case "isupper": return .bool(text.isUpper)
    case "isspace": return all(\.isPythonSpace)
    case "isalpha": return all(\.isPythonLetter)
    case "isalnum": return all { $0.isPythonLetter || $0.properties.numericType != nil }
    case "isnumeric": return all { $0.properties.numericType != nil }
    case "isdecimal": return all { $0.properties.numericType == .decimal }
    case "isdigit":
      return all { $0.properties.numericType == .decimal || $0.properties.numericType == .digit }
    case "isascii": return .bool(text.letters.allSatisfy { $0.value < 0x80 })
    case "isprintable": return .bool(text.letters.allSatisfy(\.scalar.isPythonPrintable))
    default: throw unsupported("the method '\(name)' of a string")
    }
  }

  /// Returns `value` as a string, or nil when it is missing or none.
  private func characters(_ value: Value?) throws(TemplateError) -> Text? {
    guard let value else { return nil }
    if case .none = value { return nil }
    return try textArgument(value)
  }

  /// Counts the steps of a search for `part` at every position of `text`.
  func spendSearch(_ part: Text?, in text: Text) throws(TemplateError) {
    let cost = Double(text.count + 8) * Double((part?.count ?? 0) / 8 + 1)
    try spend(Int(min(cost, 8 * Double(limits.steps))))
  }

  private func partition(
    _ text: Text, _ name: String, _ arguments: Arguments
  ) throws(TemplateError) -> Value {
    let separator = try textArgument(try arguments.bound(to: ["sep"], of: name)[0])
    if separator.isEmpty { throw failure("a separator is empty") }
    try spendSearch(separator, in: text)
    let index = name == "partition" ? text.firstIndex(of: separator) : text.lastIndex(of: separator)
    var parts = name == "partition" ? [text, Text(), Text()] : [Text(), Text(), text]
    if let index {
      let end = index + separator.count
      parts = [text[0..<index], text[index..<end], text[end..<text.count]]
    }
    return .tuple(
      try located { () throws(ValueError) in try ValueList(parts.map { .text($0) }) })
  }

  private func affix(
    _ text: Text, _ name: String, _ arguments: Arguments
  ) throws(TemplateError) -> Value {
    let value = try arguments.bound(to: ["affix"], of: name)[0]
    var affixes: [Text] = []
    if case .tuple(let list)? = value, name.hasSuffix("with") {
      for element in list.elements { affixes.append(try textArgument(element)) }
    } else {
      affixes = [try textArgument(value)]
    }
    let isPrefix = name == "startswith" || name == "removeprefix"
    let found = affixes.first { isPrefix ? text.hasPrefix($0) : text.hasSuffix($0) }
    if name.hasSuffix("with") { return .bool(found != nil) }
    guard let length = found?.count else { return .text(text) }
    return .text(isPrefix ? text[length..<text.count] : text[0..<(text.count - length)])
  }

  private func find(
    _ text: Text, _ name: String, _ arguments: Arguments
  ) throws(TemplateError) -> Value {
    guard arguments.positional.count == 1, arguments.keywords.isEmpty else {
      throw unsupported("'\(name)' with bounds")
    }
    let part = try textArgument(arguments.positional[0])
    try spendSearch(part, in: text)
    if name == "count" { return .integer(text.occurrences(of: part)) }
    let index = name.hasPrefix("r") ? text.lastIndex(of: part) : text.firstIndex(of: part)
    if index == nil, name.hasSuffix("index") {
      throw failure("'\(name)' does not find its argument")
    }
    return .integer(index ?? -1)
  }

  /// Returns `text` with `old` replaced by `new`; throws when size or steps exceed the limits.
  func replaced(
    _ text: Text, _ old: Text, _ new: Text, _ most: Int
  ) throws(TemplateError) -> Text {
    try spendSearch(old, in: text)
    let matches = old.isEmpty || new.count > old.count ? text.occurrences(of: old) : 0
    let (growth, overflows) = matches.multipliedReportingOverflow(by: new.count)
    try checkSize(overflows ? Int.max : text.count.addingReportingOverflow(growth).partialValue)
    return text.replacing(old, with: new, most: most)
  }

  /// Returns `parts` joined by `separator`; throws when the size exceeds the limit.
  func joined(_ parts: [Text], by separator: Text) throws(TemplateError) -> Text {
    var size = 0.0
    for part in parts { size += Double(part.count + separator.count) }
    try checkSize(Int(min(size, 1e15)))
    return separator.joined(parts)
  }

  private func padded(
    _ text: Text, _ name: String, _ arguments: Arguments
  ) throws(TemplateError) -> Text {
    let values = try arguments.bound(
      to: name == "zfill" ? ["width"] : ["width", "fillchar"], of: name)
    let fill = name == "zfill" ? Text("0") : try textArgument(values[1], Text(" "))
    guard fill.count == 1 else { throw failure("'\(name)' fills with one character") }
    let missing = max(0, min(try wholeArgument(values[0]), Int.max / 2) - text.count)
    try checkSize(text.count + missing)
    func filling(_ count: Int) -> Text { Text(repeatElement(fill.letters[0], count: count)) }
    switch name {
    case "ljust": return text + filling(missing)
    case "rjust": return filling(missing) + text
    case "zfill":
      let sign = text.letters.first.map { $0.value == 0x2B || $0.value == 0x2D } == true ? 1 : 0
      return text[0..<sign] + filling(missing) + text[sign..<text.count]
    default:
      // When the padding is odd, Python puts the extra character on the left if the width is odd
      // too.
      let left = missing / 2 + (missing & (text.count + missing) & 1)
      return filling(left) + text + filling(missing - left)
    }
  }

  /// Returns Python's `str.format` with empty, numbered or named fields.
  private func formatted(_ format: Text, _ arguments: Arguments) throws(TemplateError) -> Text {
    var result = Text()
    var automatic = 0
    var index = 0
    while index < format.count {
      let letter = format.letters[index]
      let brace = letter.value == 0x7B || letter.value == 0x7D
      if !brace {
        result.letters.append(letter)
        index += 1
        continue
      }
      if index + 1 < format.count, format.letters[index + 1].value == letter.value {
        result.letters.append(letter)
        index += 2
        continue
      }
      guard letter.value == 0x7B, let end = format.firstIndex(of: Text("}"), from: index) else {
        throw failure("a format has a single brace")
      }
      let field = format[(index + 1)..<end].string
      index = end + 1
      let value: Value?
      if field.isEmpty || Int(field) != nil {
        let number = Int(field) ?? automatic
        automatic += 1
        value = arguments.positional.indices.contains(number) ? arguments.positional[number] : nil
      } else if field.unicodeScalars.allSatisfy(\.continuesName) {
        value = arguments.keywords.last { $0.name == field }?.value
      } else {
        throw unsupported("the format field '{\(field.prefix(40))}'")
      }
      guard let value else { throw failure("a format has no value for '{\(field)}'") }
      let text = try text(of: value)
      try checkSize(result.count + text.count)
      result += text
    }
    return result
  }
}
