/// The common path of all typed reads: find the node, check it, declare the key.
extension ConfigurationReader {
  /// Reads the value at `path`, or nil if the key is absent; declares the key with the default
  /// `fallback`.
  mutating func read<Value: ResolvableScalar>(
    _ path: String, _ domain: Domain, _ help: String, _ decidesBits: Bool, default fallback: Value?,
    _ parse: (YAMLDocument.Node) -> Value?
  ) throws(ConfigurationError) -> Value? {
    if let fallback {
      precondition(
        domain.admits(fallback.resolved),
        "default \(fallback) of \(path) is outside \(domain.range ?? "its range")")
    }
    let value = try present(path, domain).map { node throws(ConfigurationError) in
      try element(node, path, domain, parse)
    }
    declare(
      KeyDescription(
        path: path, domain: domain, isRequired: false, defaultValue: fallback?.resolved.yaml,
        decidesBits: decidesBits, help: help),
      value: (value ?? fallback)?.resolved ?? .absent)
    return value
  }

  /// Reads the required value at `path`; in `describe` mode, `placeholder` stands for an absent
  /// one.
  mutating func require<Value: ResolvableScalar>(
    _ path: String, _ domain: Domain, _ help: String, _ decidesBits: Bool, placeholder: Value,
    _ parse: (YAMLDocument.Node) -> Value?
  ) throws(ConfigurationError) -> Value {
    let value: Value
    if let node = try present(path, domain) {
      value = try element(node, path, domain, parse)
    } else {
      try refuseMissing(path)
      value = placeholder
    }
    declare(
      KeyDescription(
        path: path, domain: domain, isRequired: true, defaultValue: nil, decidesBits: decidesBits,
        help: help),
      value: value.resolved)
    return value
  }

  /// Reads the list at `path`, or nil if the key is absent.
  mutating func readList<Value: ResolvableScalar>(
    _ path: String, _ domain: Domain, _ help: String, _ decidesBits: Bool,
    default fallback: [Value],
    _ parse: (YAMLDocument.Node) -> Value?
  ) throws(ConfigurationError) -> [Value]? {
    for value in fallback {
      precondition(
        domain.admits(value.resolved),
        "default \(value) of \(path) is outside \(domain.range ?? "its range")")
    }
    let values = try present(path, domain).map { node throws(ConfigurationError) in
      try elements(node, path, domain, parse)
    }
    declare(
      KeyDescription(
        path: path, domain: domain, isRequired: false,
        defaultValue: ResolvedValue.list(fallback.map(\.resolved)).yaml, decidesBits: decidesBits,
        help: help),
      value: .list((values ?? fallback).map(\.resolved)))
    return values
  }

  /// Reads the required list at `path`; in `describe` mode, an absent one is empty.
  mutating func requireList<Value: ResolvableScalar>(
    _ path: String, _ domain: Domain, _ help: String, _ decidesBits: Bool,
    _ parse: (YAMLDocument.Node) -> Value?
  ) throws(ConfigurationError) -> [Value] {
    var values: [Value] = []
    if let node = try present(path, domain) {
      values = try elements(node, path, domain, parse)
    } else {
      try refuseMissing(path)
    }
    declare(
      KeyDescription(
        path: path, domain: domain, isRequired: true, defaultValue: nil, decidesBits: decidesBits,
        help: help),
      value: .list(values.map(\.resolved)))
    return values
  }

  /// The node at `path`, or nil if it is absent or null; refuses a scalar in place of a section.
  ///
  /// An empty override of a text, such as `--set run=`, is refused as well: most often a shell
  /// variable was empty, and the default would silently mean another folder or other texts.
  func present(
    _ path: String, _ domain: Domain
  ) throws(ConfigurationError) -> YAMLDocument.Node? {
    guard let node = try document.node(at: path) else { return nil }
    if case .scalar("", isPlain: true) = node.content, node.place.isOverride, domain.isText {
      throw .wrongType(
        key: path, place: node.place, expected: domain.expectation, found: node.summary)
    }
    return node.isNull ? nil : node
  }

  func refuseMissing(_ path: String) throws(ConfigurationError) {
    guard mode == .read else { return }
    // A required key is most often missing because it was misspelt: look for a similar one among
    // the written keys that have not been read.
    let known = declarations.map(\.description.path) + [path]
    let written = document.values(notIn: known)
    let similar = Spelling.nearest(to: path, among: written.map(\.path))
    let misspelt = written.first { $0.path == similar }
    throw .missing(
      key: path, file: document.file,
      similar: misspelt.map { UnknownKey(path: $0.path, place: $0.place, nearest: path) })
  }

  private func elements<Value: ResolvableScalar>(
    _ node: YAMLDocument.Node, _ path: String, _ domain: Domain,
    _ parse: (YAMLDocument.Node) -> Value?
  ) throws(ConfigurationError) -> [Value] {
    var nodes = [node]
    if case .list(let items) = node.content { nodes = items }
    if let count = domain.count, nodes.count != count {
      throw .wrongType(
        key: path, place: node.place, expected: domain.expectation, found: node.summary)
    }
    var values: [Value] = []
    for item in nodes { values.append(try element(item, path, domain, parse)) }
    return values
  }

  private func element<Value: ResolvableScalar>(
    _ node: YAMLDocument.Node, _ path: String, _ domain: Domain,
    _ parse: (YAMLDocument.Node) -> Value?
  ) throws(ConfigurationError) -> Value {
    guard case .scalar(let text, _) = node.content, let value = parse(node) else {
      if case .scalar(let text, true) = node.content, domain.overflows(text) {
        throw .outOfRange(
          key: path, place: node.place, value: text, range: domain.representable)
      }
      throw .wrongType(
        key: path, place: node.place, expected: domain.expectation, found: node.summary)
    }
    guard domain.admits(value.resolved) else {
      throw .outOfRange(
        key: path, place: node.place, value: text, range: domain.range ?? domain.representable)
    }
    return value
  }
}
