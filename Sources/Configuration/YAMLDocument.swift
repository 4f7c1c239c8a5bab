/// The tree of a configuration file: maps with text keys, lists and scalars, each with its
/// location.
struct YAMLDocument: Sendable {
  /// A value of the file or of an override.
  struct Node: Sendable {
    indirect enum Content: Sendable {
      /// The text of a scalar; a plain one is written without quotes.
      case scalar(String, isPlain: Bool)
      case list([Node])
      case map([Entry])
    }

    var content: Content
    var place: ConfigurationPlace
  }

  struct Entry: Sendable {
    let key: String
    let place: ConfigurationPlace
    var value: Node
  }

  /// A key in the file or in an override.
  typealias WrittenKey = (path: String, place: ConfigurationPlace)

  /// The name of the file in errors.
  let file: String
  var root: Node

  /// An empty document.
  init(file: String) {
    self.file = file
    root = Node(content: .map([]), place: .file(file))
  }

  /// The node at the dotted `path`, or nil if it or a section above it is absent.
  ///
  /// Refuses a scalar or a list in place of a section above it.
  func node(at path: String) throws(ConfigurationError) -> Node? {
    var node = root
    var passed = ""
    for component in path.split(separator: ".") {
      guard case .map(let entries) = node.content else {
        if node.isNull { return nil }
        throw .wrongType(
          key: passed, place: node.place, expected: "a section with keys such as \(path)",
          found: node.summary)
      }
      guard let entry = entries.first(where: { $0.key == component }) else { return nil }
      node = entry.value
      passed += (passed.isEmpty ? "" : ".") + component
    }
    return node
  }

  /// The location of `path`; the file as a whole if it is absent.
  func place(of path: String) -> ConfigurationPlace {
    let node = try? node(at: path)
    return node?.place ?? .file(file)
  }

  /// The written keys that are neither in `declared` nor a section of such a key; an unknown
  /// section is listed once, without its content.
  ///
  /// The order is that of the file, then of the overrides.
  func writtenKeys(declared: [String]) -> [WrittenKey] {
    let keys = Set(declared)
    let sections = Set(declared.flatMap(Spelling.sections(of:)))
    return collect { path, _ in
      keys.contains(path) ? .skip : sections.contains(path) ? .descend : .take
    }
  }

  /// The written keys with a value, not a section, that are not in `declared`.
  func values(notIn declared: [String]) -> [WrittenKey] {
    let keys = Set(declared)
    return collect { path, node in
      if case .map = node.content { return .descend }
      return keys.contains(path) ? .skip : .take
    }
  }

  private enum Verdict { case take, skip, descend }

  private func collect(_ judge: (String, Node) -> Verdict) -> [WrittenKey] {
    var found: [WrittenKey] = []
    func walk(_ node: Node, below prefix: String) {
      guard case .map(let entries) = node.content else { return }
      for entry in entries {
        let path = prefix + entry.key
        switch judge(path, entry.value) {
        case .take: found.append((path, entry.place))
        case .skip: break
        case .descend: walk(entry.value, below: path + ".")
        }
      }
    }
    walk(root, below: "")
    return found.filter { !$0.place.isOverride } + found.filter { $0.place.isOverride }
  }
}

extension YAMLDocument.Node {
  /// True when the value is empty, `~` or `null`, which counts as absent.
  var isNull: Bool {
    guard case .scalar(let text, isPlain: true) = content else { return false }
    return Scalar.isNull(text)
  }

  /// The error for a value that does not have the type of the key `path`.
  func wrongType(_ path: String, _ domain: Domain) -> ConfigurationError {
    .wrongType(key: path, place: place, expected: domain.expectation, found: summary)
  }

  /// A short description of the value, as it ends the sentence "KEY must be …, not SUMMARY".
  var summary: String {
    switch content {
    case .list(let items):
      return "a list of \(items.count)"
    case .map:
      return "a section"
    case .scalar(let text, let isPlain):
      if isNull { return "nothing" }
      let limit = 60
      let shown = text.count > limit ? text.prefix(limit) + "…" : text[...]
      let quoted = YAMLText.doubleQuoted(String(shown))
      return isPlain ? quoted : "the quoted text \(quoted)"
    }
  }
}
