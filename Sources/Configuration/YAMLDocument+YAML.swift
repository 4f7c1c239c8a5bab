import Yams

// Accepted YAML: one document; block and flow maps, lists and scalars; anchors and aliases,
// resolved within a budget. Refused with an error that names them: merge keys, keys that are not
// plain words, tags other than the core ones (which the types of the reader override), a second
// document.

extension YAMLDocument {
  /// The maximum number of nodes of a file after aliases are resolved.
  static let largestTree = 1 << 16
  /// The maximum nesting depth of maps and lists.
  static let deepestNesting = 32

  /// Parses `yaml`, with errors that name `file`; a text without a document is an empty map.
  init(yaml: String, file: String) throws(ConfigurationError) {
    self.init(file: file)
    if AliasBomb.isPossible(in: yaml) {
      throw .unsupported(
        place: .file(file), what: "aliases (*name) together with lists, maps or aliases as keys",
        remedy: "write the keys as plain words")
    }
    var builder = TreeBuilder(file: file)
    guard let node = try builder.compose(yaml) else { return }
    root = try builder.tree(node, depth: 0)
    if root.isNull { root.content = .map([]) }
    guard case .map = root.content else {
      throw .notAMapping(place: root.place, found: root.summary)
    }
  }
}

/// Converts the nodes of Yams into those of a document.
struct TreeBuilder {
  let file: String
  /// The override that is being parsed; nil for the file.
  var override: String?
  private var count = 0

  init(file: String, override: String? = nil) {
    self.file = file
    self.override = override
  }

  /// The root of the only document in `yaml`, or nil if there is none.
  func compose(_ yaml: String) throws(ConfigurationError) -> Yams.Node? {
    do {
      // The basic resolver has no rules: the typed read decides what a scalar means, so that `on`
      // can be a name and `0o17` is not taken for a number.
      return try Yams.Parser(yaml: yaml, resolver: .basic, encoding: .utf8).singleRoot()
    } catch {
      throw syntaxError(error)
    }
  }

  /// Converts `node` and everything below it.
  mutating func tree(
    _ node: Yams.Node, depth: Int
  ) throws(ConfigurationError) -> YAMLDocument.Node {
    let place = place(node.mark)
    count += 1
    guard count <= YAMLDocument.largestTree, depth <= YAMLDocument.deepestNesting else {
      throw .unsupported(
        place: place,
        what:
          "more than \(YAMLDocument.largestTree) values or \(YAMLDocument.deepestNesting) levels",
        remedy: "write a flatter file with fewer aliases")
    }
    switch node {
    case .scalar(let scalar):
      let isCore = try checkTag(scalar.tag, at: place)
      let isText = scalar.tag.description == Tag.Name.str.rawValue && isCore
      return YAMLDocument.Node(
        content: .scalar(scalar.string, isPlain: scalar.style == .plain && !isText), place: place)
    case .sequence(let sequence):
      try checkTag(sequence.tag, at: place)
      var items: [YAMLDocument.Node] = []
      for item in sequence { items.append(try tree(item, depth: depth + 1)) }
      return YAMLDocument.Node(content: .list(items), place: place)
    case .mapping(let mapping):
      try checkTag(mapping.tag, at: place)
      var entries: [YAMLDocument.Entry] = []
      var keys: Set<String> = []
      for (key, value) in mapping {
        let name = try self.key(key)
        let place = self.place(key.mark)
        guard keys.insert(name).inserted else {
          throw .duplicateKey(key: name, place: place)
        }
        entries.append(
          YAMLDocument.Entry(key: name, place: place, value: try tree(value, depth: depth + 1)))
      }
      return YAMLDocument.Node(content: .map(entries), place: place)
    case .alias:
      throw .unsupported(
        place: place, what: "an alias that is not resolved", remedy: "write the value out")
    }
  }

  private func key(_ node: Yams.Node) throws(ConfigurationError) -> String {
    let place = place(node.mark)
    guard case .scalar(let scalar) = node else {
      throw .unsupported(
        place: place, what: "a list or map as a key", remedy: "write the key as a plain word")
    }
    if scalar.string == "<<", scalar.style == .plain {
      throw .unsupported(
        place: place, what: "the merge key <<", remedy: "write the merged keys out")
    }
    if scalar.string.contains(".") {
      throw .unsupported(
        place: place, what: "the dot in the key \(YAMLText.doubleQuoted(scalar.string))",
        remedy: "nest the keys: dots are for --set")
    }
    return scalar.string
  }

  @discardableResult
  private func checkTag(
    _ tag: Tag, at place: ConfigurationPlace
  ) throws(ConfigurationError) -> Bool {
    let core: [Tag.Name] = [
      .implicit, .nonSpecific, .str, .seq, .map, .bool, .float, .null, .int,
    ]
    guard core.contains(where: { $0.rawValue == tag.description }) else {
      throw .unsupported(
        place: place, what: "the tag \(YAMLText.doubleQuoted(tag.description))",
        remedy: "remove it")
    }
    return true
  }

  private func place(_ mark: Mark?) -> ConfigurationPlace {
    if let override { return .override(override) }
    return mark.map { .line($0.line, of: file) } ?? .file(file)
  }

  private func syntaxError(_ error: any Error) -> ConfigurationError {
    func syntax(_ line: Int, _ column: Int, _ problem: String) -> ConfigurationError {
      if let override { return .malformedOverride(override, reason: problem) }
      return .syntax(file: file, line: line, column: column, problem: problem)
    }
    switch error as? YamlError {
    case .scanner(let context, let problem, let mark, _),
      .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let whole = [context?.text, problem].compactMap(\.self).joined(separator: ", ")
      return syntax(mark.line, mark.column, whole)
    case .reader(let problem, let offset, _, let yaml):
      // The offset counts characters of the text.
      let before = yaml.prefix(offset ?? 0)
      let line = before.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      return syntax(line.count, (line.last?.count ?? 0) + 1, problem)
    case .duplicatedKeysInMapping(let names, let context):
      // The mark is that of the first occurrence.
      let name = names.first ?? ""
      let second = override == nil ? secondLine(of: name, at: context.mark, in: context.text) : nil
      return .duplicateKey(
        key: name, place: second.map { .line($0, of: file) } ?? place(context.mark))
    default:
      return syntax(1, 1, "\(error)".split(separator: "\n").first.map(String.init) ?? "unreadable")
    }
  }

  /// The line of the second `key` of a block map whose first is at `mark`; nil for flow maps.
  ///
  /// The keys of a block map are in one column, and their values further right.
  private func secondLine(of key: String, at mark: Mark, in yaml: String) -> Int? {
    let lines = yaml.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    let start = String(repeating: " ", count: max(0, mark.column - 1)) + key + ":"
    return lines.indices.dropFirst(mark.line).first { lines[$0].hasPrefix(start) }.map { $0 + 1 }
  }
}
