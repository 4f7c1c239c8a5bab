/// A value with reference semantics: one that can change or be called.
///
/// Objects cannot be elements of lists, dictionaries or namespaces, so values contain no cycles and
/// nest no deeper than `RenderingLimits.valueDepth`.
class Object {
  var kind: String { "an object" }

  /// Returns the attribute `name`; nil when there is none.
  func attribute(_ name: String) -> Value? { nil }
}

/// The result of `namespace(…)`: variables whose assignments outlive the block that makes them.
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

/// A sequence that can be read once, like Python's generators.
final class GeneratorObject: Object {
  private var elements: [Value]
  override var kind: String { "a generator" }

  init(_ elements: [Value]) { self.elements = elements }

  /// Removes and returns the remaining elements.
  func take() -> [Value] {
    defer { elements = [] }
    return elements
  }

  /// Removes and returns the next element; nil at the end.
  func next() -> Value? {
    elements.isEmpty ? nil : elements.removeFirst()
  }
}

/// The variable `loop` inside a `for`.
final class LoopState: Object {
  let elements: [Value]
  let depth: Int
  var index = 0
  /// Arguments of the previous call of `loop.changed`.
  var previousArguments: [Value]?
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

/// A macro, or the body of a `call` block, with the scope of its definition.
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

/// A built-in function.
final class Function: Object {
  let name: String
  override var kind: String { "the function '\(name)'" }

  init(_ name: String) { self.name = name }
}

/// A method with its receiver.
final class BoundMethod: Object {
  let receiver: Value
  let name: String
  override var kind: String { "the method '\(name)'" }

  init(_ receiver: Value, _ name: String) {
    self.receiver = receiver
    self.name = name
  }
}

/// The result of `cycler(…)` or `joiner(…)`.
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

/// The variables of one block, and the scope of the enclosing block.
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
