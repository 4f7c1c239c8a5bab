/// Readers of parts of a configuration, such as the stages of a recipe.
extension ConfigurationReader {
  /// Reads the required, non-empty list of sections at `path`, and returns a reader for each;
  /// errors keep their lines in the file.
  package mutating func sections(
    _ path: String, help: String
  ) throws(ConfigurationError) -> [ConfigurationReader] {
    let node = try part(path, .sections, isRequired: true, help)
    guard let node else { return [] }
    guard case .list(let items) = node.content, !items.isEmpty else {
      throw node.wrongType(path, .sections)
    }
    var readers: [ConfigurationReader] = []
    for item in items {
      guard case .map = item.content else { throw item.wrongType(path, .sections) }
      readers.append(reader(of: item))
    }
    return readers
  }

  /// Returns a reader of the section at `path`, or nil if it is absent.
  package mutating func section(
    _ path: String, help: String
  ) throws(ConfigurationError) -> ConfigurationReader? {
    guard let node = try part(path, .section, isRequired: false, help) else { return nil }
    guard case .map = node.content else { throw node.wrongType(path, .section) }
    return reader(of: node)
  }

  /// Returns a reader in which `change` has been applied to the text of every scalar.
  package func replacingTexts(_ change: (String) -> String) -> ConfigurationReader {
    var document = document
    document.root = document.root.replacingTexts(change)
    return ConfigurationReader(document: document, mode: mode)
  }

  /// Returns a reader in which the values of `other` replace those of equal keys, section by
  /// section.
  package func overlaid(with other: ConfigurationReader) -> ConfigurationReader {
    var document = document
    document.root = document.root.overlaid(with: other.document.root)
    return ConfigurationReader(document: document, mode: mode)
  }

  /// Returns a reader with further overrides of the form `key.path=value`.
  package func overridden(
    by overrides: [String]
  ) throws(ConfigurationError) -> ConfigurationReader {
    var document = document
    for override in overrides { try document.apply(override: override) }
    return ConfigurationReader(document: document, mode: mode)
  }

  private mutating func part(
    _ path: String, _ domain: Domain, isRequired: Bool, _ help: String
  ) throws(ConfigurationError) -> YAMLDocument.Node? {
    let node = try present(path, domain)
    if node == nil && isRequired { try refuseMissing(path) }
    declare(
      KeyDescription(
        path: path, domain: domain, isRequired: isRequired, defaultValue: nil, decidesBits: false,
        help: help),
      value: .absent)
    return node
  }

  private func reader(of node: YAMLDocument.Node) -> ConfigurationReader {
    var part = YAMLDocument(file: document.file)
    part.root = node
    return ConfigurationReader(document: part, mode: mode)
  }
}

extension YAMLDocument.Node {
  fileprivate func replacingTexts(_ change: (String) -> String) -> YAMLDocument.Node {
    var node = self
    switch content {
    case .scalar(let text, let isPlain): node.content = .scalar(change(text), isPlain: isPlain)
    case .list(let items): node.content = .list(items.map { $0.replacingTexts(change) })
    case .map(let entries):
      node.content = .map(
        entries.map {
          YAMLDocument.Entry(key: $0.key, place: $0.place, value: $0.value.replacingTexts(change))
        })
    }
    return node
  }

  fileprivate func overlaid(with other: YAMLDocument.Node) -> YAMLDocument.Node {
    guard case .map(var entries) = content, case .map(let others) = other.content else {
      return other
    }
    for entry in others {
      if let place = entries.firstIndex(where: { $0.key == entry.key }) {
        entries[place].value = entries[place].value.overlaid(with: entry.value)
      } else {
        entries.append(entry)
      }
    }
    var node = self
    node.content = .map(entries)
    return node
  }
}
