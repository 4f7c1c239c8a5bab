/// What is known by reference: it changes, or can be called.
///
/// Objects are never elements of lists, dictionaries or namespaces, so that values hold no cycles and
/// nest no deeper than `RenderingLimits.valueDepth`.
class Object {
  var kind: String { "an object" }

  /// The attribute `name`, if it has it.
  func attribute(_ name: String) -> Value? { nil }
}

/// `namespace(…)`: variables that a loop may set for those after it.
final class Namespace: Object {
  private var variables: [String: Value] = [:]
  override var kind: String { "a namespace" }

  func set(_ name: String, to value: Value) throws(ValueError) {
    if name.hasPrefix("_") {
      throw ValueError("'\(name)' cannot be set on a namespace: names there begin with a letter")
    }
    if case .object(let object) = value {
      throw ValueError(unsupported: "\(object.kind) inside a namespace")
    }
    variables[name] = value
  }

  override func attribute(_ name: String) -> Value? { variables[name] }
}

/// Values that are given out once, as Python's generators do.
final class Generator: Object {
  private var elements: [Value]
  override var kind: String { "a generator" }

  init(_ elements: [Value]) { self.elements = elements }

  /// What was not taken yet.
  func take() -> [Value] {
    defer { elements = [] }
    return elements
  }

  /// The next one.
  func next() -> Value? {
    elements.isEmpty ? nil : elements.removeFirst()
  }
}

/// `loop`.
final class LoopState: Object {
  let elements: [Value]
  let depth: Int
  var index = 0
  /// What `loop.changed` was last asked about.
  var lastAsked: [Value]?
  override var kind: String { "a loop" }

  init(_ elements: [Value], depth: Int) {
    self.elements = elements
    self.depth = depth
  }

  override func attribute(_ name: String) -> Value? {
    let count = elements.count
    switch name {
    case "index": return .integer(index + 1)
    case "index0": return .integer(index)
    case "revindex": return .integer(count - index)
    case "revindex0": return .integer(count - index - 1)
    case "first": return .bool(index == 0)
    case "last": return .bool(index == count - 1)
    case "length": return .integer(count)
    case "depth": return .integer(depth)
    case "depth0": return .integer(depth - 1)
    case "previtem":
      return index > 0 ? elements[index - 1] : .undefined("there is no previous item")
    case "nextitem":
      return index + 1 < count ? elements[index + 1] : .undefined("there is no next item")
    case "cycle", "changed": return .object(BoundMethod(.object(self), name))
    default: return nil
    }
  }
}

/// A macro, or the body of a `call` block, with the scope that it was defined in.
final class Macro: Object {
  let definition: MacroDefinition
  let scope: Scope
  override var kind: String { "a macro" }

  init(_ definition: MacroDefinition, in scope: Scope) {
    self.definition = definition
    self.scope = scope
  }

  override func attribute(_ name: String) -> Value? {
    name == "name" ? .text(definition.name) : nil
  }
}

/// A function that every template has.
final class Function: Object {
  let name: String
  override var kind: String { "the function '\(name)'" }

  init(_ name: String) { self.name = name }
}

/// A method with the value that it was asked of.
final class BoundMethod: Object {
  let receiver: Value
  let name: String
  override var kind: String { "the method '\(name)'" }

  init(_ receiver: Value, _ name: String) {
    self.receiver = receiver
    self.name = name
  }
}

/// `cycler(…)` and `joiner(…)`.
final class Stepper: Object {
  let elements: [Value]
  var position = 0
  override var kind: String { "a cycler or joiner" }
  let isJoiner: Bool

  init(_ elements: [Value], isJoiner: Bool) {
    self.elements = elements
    self.isJoiner = isJoiner
  }

  override func attribute(_ name: String) -> Value? {
    switch name {
    case "current" where !isJoiner: elements[position]
    case "next" where !isJoiner, "reset" where !isJoiner:
      .object(BoundMethod(.object(self), name))
    default: nil
    }
  }
}

/// Variables of one block, and the block around it.
final class Scope {
  var variables: [String: Value] = [:]
  let parent: Scope?

  init(parent: Scope? = nil) { self.parent = parent }

  func find(_ name: String) -> Value? {
    var scope: Scope? = self
    while let current = scope {
      if let value = current.variables[name] { return value }
      scope = current.parent
    }
    return nil
  }
}
