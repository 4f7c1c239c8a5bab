/// The common path of all typed reads: find the node, check it, declare the key.
extension ConfigurationReader {
  /// Reads the value at `path`, or nil if the key is absent; declares the key with the default
  /// `fallback`.
  mutating func read<Value: Resolvable>(
    _ path: String, _ domain: Domain, _ help: String, _ decidesBits: Bool,
    default fallback: Value? = nil
  ) throws(ConfigurationError) -> Value? {
    if let fallback {
      precondition(
        domain.admits(fallback.resolved),
        "default \(fallback) of \(path) is not \(domain.range ?? domain.expectation)")
    }
    let value = try present(path, domain).map { node throws(ConfigurationError) in
      try Value(node, path, domain)
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
  mutating func require<Value: Resolvable>(
    _ path: String, _ domain: Domain, _ help: String, _ decidesBits: Bool, placeholder: Value
  ) throws(ConfigurationError) -> Value {
    var value = placeholder
    if let node = try present(path, domain) {
      value = try Value(node, path, domain)
    } else {
      try refuseMissing(path)
    }
    declare(
      KeyDescription(
        path: path, domain: domain, isRequired: true, defaultValue: nil, decidesBits: decidesBits,
        help: help),
      value: isWritten(path) ? value.resolved : .absent)
    return value
  }

  /// The node at `path`, or nil if it is absent or null; refuses a scalar in place of a section.
  ///
  /// An empty override of a text, such as `--set run=`, is refused as well: most often a shell
  /// variable was empty, and the default would silently mean another folder or other texts.
  func present(
    _ path: String, _ domain: Domain
  ) throws(ConfigurationError) -> YAMLDocument.Node? {
    guard var node = try document.node(at: path) else { return nil }
    if case .override(let text) = node.place { try node.interpret(override: text, in: domain) }
    if case .scalar("", isPlain: true) = node.content, node.place.isOverride, domain.isText {
      throw node.wrongType(path, domain)
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
}
