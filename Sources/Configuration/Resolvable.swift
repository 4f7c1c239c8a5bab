/// A type of the values that keys have.
protocol Resolvable {
  /// The value of `node`; a node that is not in `domain` is refused with the path of the key.
  init(_ node: YAMLDocument.Node, _ path: String, _ domain: Domain) throws(ConfigurationError)

  var resolved: ResolvedValue { get }
}

/// A type of scalar values.
protocol ResolvableScalar: Resolvable {
  /// Returns the value of `node`, nil when it has another type.
  static func parsed(_ node: YAMLDocument.Node, _ domain: Domain) -> Self?
}

extension ResolvableScalar {
  init(_ node: YAMLDocument.Node, _ path: String, _ domain: Domain) throws(ConfigurationError) {
    guard case .scalar(let text, _) = node.content, let value = Self.parsed(node, domain) else {
      if case .scalar(let text, true) = node.content, domain.overflows(text) {
        throw .outOfRange(
          key: path, place: node.place, value: text, range: domain.representable)
      }
      throw node.wrongType(path, domain)
    }
    guard domain.admits(value.resolved) else {
      throw .outOfRange(
        key: path, place: node.place, value: text, range: domain.range ?? domain.representable)
    }
    self = value
  }
}

extension Int: ResolvableScalar {
  var resolved: ResolvedValue { .integer(self) }

  static func parsed(_ node: YAMLDocument.Node, _ domain: Domain) -> Int? { Scalar.integer(node) }
}

extension Double: ResolvableScalar {
  var resolved: ResolvedValue { .number(self) }

  static func parsed(_ node: YAMLDocument.Node, _ domain: Domain) -> Double? {
    Scalar.number(node)
  }
}

extension Bool: ResolvableScalar {
  var resolved: ResolvedValue { .boolean(self) }

  static func parsed(_ node: YAMLDocument.Node, _ domain: Domain) -> Bool? { Scalar.boolean(node) }
}

extension String: ResolvableScalar {
  var resolved: ResolvedValue { .text(self) }

  static func parsed(_ node: YAMLDocument.Node, _ domain: Domain) -> String? {
    Scalar.text(node).flatMap { domain.admits(.text($0)) ? $0 : nil }
  }
}

/// A list; a single scalar is a list of one.
extension Array: Resolvable where Element: ResolvableScalar {
  init(_ node: YAMLDocument.Node, _ path: String, _ domain: Domain) throws(ConfigurationError) {
    var nodes = [node]
    if case .list(let items) = node.content { nodes = items }
    if let count = domain.count, nodes.count != count { throw node.wrongType(path, domain) }
    self = try nodes.map { node throws(ConfigurationError) in try Element(node, path, domain) }
  }

  var resolved: ResolvedValue { .list(map(\.resolved)) }
}

/// Texts by name.
extension [String: String]: Resolvable {
  init(_ node: YAMLDocument.Node, _ path: String, _ domain: Domain) throws(ConfigurationError) {
    guard case .map(let entries) = node.content else { throw node.wrongType(path, domain) }
    self = [:]
    for entry in entries {
      self[entry.key] = try String(entry.value, "\(path).\(entry.key)", .text)
    }
  }

  var resolved: ResolvedValue { .textMap(self) }
}
