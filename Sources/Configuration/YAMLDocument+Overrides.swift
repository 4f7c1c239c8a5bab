// --set key.path=value
//
//   value     begins with [: a list, parsed as YAML; for a key whose value is a text, that text
//             begins with {: a map of texts, parsed as YAML; for any other key, that text
//             begins with " or ': a quoted text, parsed as YAML
//             empty: the key counts as absent and has its default; refused for a text
//             anything else: taken literally, without quoting of *, # or a colon

extension YAMLDocument {
  /// Replaces or adds the value of `override` in the document.
  mutating func apply(override: String) throws(ConfigurationError) {
    guard let equals = override.firstIndex(of: "=") else {
      throw .malformedOverride(override, reason: "there is no = in it")
    }
    let components = override[..<equals]
      .split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    for component in components {
      guard component.allSatisfy(Self.isOfKey), !component.isEmpty else {
        throw .malformedOverride(override, reason: "its key is not a path of words and dots")
      }
    }
    guard components.count <= Self.deepestNesting else {
      throw .malformedOverride(override, reason: "its key has too many parts")
    }
    let text = String(override[override.index(after: equals)...])
    let value = try Self.value(of: text, override: override, file: file)
    try root.set(components[...], to: value, override: override)
  }

  private static func isOfKey(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber) || "_-".contains(character)
  }

  private static func value(
    of text: String, override: String, file: String
  ) throws(ConfigurationError) -> Node {
    let place = ConfigurationPlace.override(override)
    switch text.first {
    case "\"", "'": return try yaml(of: text, override: override, file: file)
    case "[":
      // The key decides whether a text that is no list is an error; see `interpret`.
      if let list = try? yaml(of: text, override: override, file: file) { return list }
      fallthrough
    default:
      return Node(content: .scalar(text, isPlain: true), place: place)
    }
  }
}

extension YAMLDocument {
  /// Returns the list, the map or the quoted text that `text`, the value of `override`, is in YAML.
  fileprivate static func yaml(
    of text: String, override: String, file: String
  ) throws(ConfigurationError) -> Node {
    var builder = TreeBuilder(file: file, override: override)
    guard !AliasBomb.isPossible(in: text), let node = try builder.compose(text) else {
      throw .malformedOverride(override, reason: "its value is not a YAML list, map or text")
    }
    let tree = try builder.tree(node, depth: 0)
    if case .map = tree.content, text.first != "{" {
      throw .malformedOverride(
        override, reason: "a section cannot be set, only its keys one by one")
    }
    return tree
  }
}

extension YAMLDocument.Node {
  /// Reads a value that begins with [ or { as the key's `domain` asks: as a text, such as a regular
  /// expression, or as a list or a map of texts.
  mutating func interpret(override: String, in domain: Domain) throws(ConfigurationError) {
    switch (content, domain) {
    case (.list, .text):
      content = .scalar(String(override.drop { $0 != "=" }.dropFirst()), isPlain: true)
    case (.scalar(let text, isPlain: true), .list) where text.first == "[",
      (.scalar(let text, isPlain: true), .textMap) where text.first == "{":
      self = try YAMLDocument.yaml(of: text, override: override, file: "")
    default: break
    }
  }

  fileprivate mutating func set(
    _ path: ArraySlice<String>, to value: YAMLDocument.Node, override: String
  ) throws(ConfigurationError) {
    guard let key = path.first else {
      if case .map = content {
        throw .malformedOverride(
          override, reason: "its key is a section, whose keys can only be set one by one")
      }
      self = value
      return
    }
    if isNull { content = .map([]) }
    guard case .map(var entries) = content else {
      throw .malformedOverride(
        override, reason: "\(key) would be inside a value that is not a section")
    }
    let place = ConfigurationPlace.override(override)
    if let index = entries.firstIndex(where: { $0.key == key }) {
      try entries[index].value.set(path.dropFirst(), to: value, override: override)
    } else {
      var fresh = YAMLDocument.Node(content: .scalar("", isPlain: true), place: place)
      try fresh.set(path.dropFirst(), to: value, override: override)
      entries.append(YAMLDocument.Entry(key: key, place: place, value: fresh))
    }
    content = .map(entries)
  }
}
