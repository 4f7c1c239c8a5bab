/// The one path that every typed read takes: find the node, check it, declare the key.
extension ConfigurationReader {
  /// The value at `path`, or nil when the key is absent; the key is declared with `fallback`.
  mutating func read<Value: ResolvableScalar>(
    _ path: String, _ domain: Domain, _ help: String, default fallback: Value?,
    _ parse: (Document.Node) -> Value?
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
        help: help),
      value: (value ?? fallback)?.resolved ?? .absent)
    return value
  }

  /// The value at `path`, which must be there; `standIn` takes its place when describing.
  mutating func require<Value: ResolvableScalar>(
    _ path: String, _ domain: Domain, _ help: String, standIn: Value,
    _ parse: (Document.Node) -> Value?
  ) throws(ConfigurationError) -> Value {
    let value: Value
    if let node = try present(path, domain) {
      value = try element(node, path, domain, parse)
    } else {
      try refuseMissing(path)
      value = standIn
    }
    declare(
      KeyDescription(path: path, domain: domain, isRequired: true, defaultValue: nil, help: help),
      value: value.resolved)
    return value
  }

  /// The list at `path`, or nil when the key is absent.
  mutating func readList<Value: ResolvableScalar>(
    _ path: String, _ domain: Domain, _ help: String, default fallback: [Value],
    _ parse: (Document.Node) -> Value?
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
        defaultValue: ResolvedValue.list(fallback.map(\.resolved)).yaml, help: help),
      value: .list((values ?? fallback).map(\.resolved)))
    return values
  }

  /// The list at `path`, which must be there.
  mutating func requireList<Value: ResolvableScalar>(
    _ path: String, _ domain: Domain, _ help: String, _ parse: (Document.Node) -> Value?
  ) throws(ConfigurationError) -> [Value] {
    var values: [Value] = []
    if let node = try present(path, domain) {
      values = try elements(node, path, domain, parse)
    } else {
      try refuseMissing(path)
    }
    declare(
      KeyDescription(path: path, domain: domain, isRequired: true, defaultValue: nil, help: help),
      value: .list(values.map(\.resolved)))
    return values
  }

  /// The node at `path` unless it is absent or null; refuses a scalar where a section belongs.
  ///
  /// `--set run=` is refused as well: most often a variable of the shell was empty, and the default
  /// is another folder, other texts.
  func present(
    _ path: String, _ domain: Domain
  ) throws(ConfigurationError) -> Document.Node? {
    guard let node = try document.node(at: path) else { return nil }
    if case .scalar("", isPlain: true) = node.content, node.place.isOverride, domain.isText {
      throw .wrongType(
        key: path, place: node.place, expected: domain.expectation, found: node.summary)
    }
    return node.isNull ? nil : node
  }

  func refuseMissing(_ path: String) throws(ConfigurationError) {
    guard mode == .read else { return }
    // A required key is most often missing because it was misspelt: look among the keys written
    // that nobody has read yet for one that resembles it.
    let known = declarations.map(\.description.path) + [path]
    let written = document.values(notIn: known)
    let similar = Spelling.nearest(to: path, among: written.map(\.path))
    let misspelt = written.first { $0.path == similar }
    throw .missing(
      key: path, file: document.file,
      similar: misspelt.map { UnknownKey(path: $0.path, place: $0.place, nearest: path) })
  }

  private func elements<Value: ResolvableScalar>(
    _ node: Document.Node, _ path: String, _ domain: Domain, _ parse: (Document.Node) -> Value?
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
    _ node: Document.Node, _ path: String, _ domain: Domain, _ parse: (Document.Node) -> Value?
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
