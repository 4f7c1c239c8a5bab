/// A Python value that a template computes with.
enum Value {
  /// An undefined value, with the reason as a clause: "'x' is undefined".
  case undefined(String)
  case none
  case bool(Bool)
  case integer(Int)
  case real(Double)
  case text(Text)
  case list(ValueList)
  case tuple(ValueList)
  case dictionary(ValueDictionary)
  /// A value with reference semantics: one that can change or be called.
  case object(Object)

  static func text(_ string: String) -> Value { .text(Text(string)) }

  /// Python's truth value.
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .bool(let value): value
    case .integer(let value): value != 0
    case .real(let value): value != 0
    case .text(let text): !text.isEmpty
    case .list(let list), .tuple(let list): !list.elements.isEmpty
    case .dictionary(let entries): !entries.entries.isEmpty
    case .object: true
    }
  }

  /// The value as a number, where Python's booleans are 0 and 1; nil for other types.
  var number: Number? {
    switch self {
    case .bool(let value): .integer(value ? 1 : 0)
    case .integer(let value): .integer(value)
    case .real(let value): .real(value)
    default: nil
    }
  }

  /// The value as an integer; nil for other types.
  var wholeNumber: Int? {
    if case .integer(let value) = number { value } else { nil }
  }

  var text: Text? {
    if case .text(let text) = self { text } else { nil }
  }

  /// Nesting depth of lists and dictionaries; 0 for other values.
  var depth: Int {
    switch self {
    case .list(let list), .tuple(let list): list.depth
    case .dictionary(let entries): entries.depth
    default: 0
    }
  }

  /// The type with its article, for error messages.
  var kind: String {
    switch self {
    case .undefined: "an undefined value"
    case .none: "none"
    case .bool: "a boolean"
    case .integer: "an integer"
    case .real: "a float"
    case .text: "a string"
    case .list: "a list"
    case .tuple: "a tuple"
    case .dictionary: "a dictionary"
    case .object(let object): object.kind
    }
  }
}

/// A number: Python's `int` or `float`.
enum Number {
  case integer(Int)
  case real(Double)

  var double: Double {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value): value
    }
  }

  static func == (left: Number, right: Number) -> Bool {
    if case (.integer(let a), .integer(let b)) = (left, right) { return a == b }
    return left.double == right.double
  }

  static func < (left: Number, right: Number) -> Bool {
    if case (.integer(let a), .integer(let b)) = (left, right) { return a < b }
    return left.double < right.double
  }
}

/// An error about a value, to which the renderer adds the line.
struct ValueError: Error {
  let cause: TemplateError.Cause

  init(_ reason: String) { cause = .evaluation(reason) }

  init(unsupported construct: String) { cause = .unsupported(construct) }

  init(exhausted what: String) { cause = .exhausted(what) }
}

/// An immutable sequence of values.
struct ValueList {
  let elements: [Value]
  let depth: Int

  init(_ elements: [Value] = []) throws(ValueError) {
    self.elements = elements
    depth = try Self.depth(of: elements)
  }

  /// Returns the depth of a list of `elements`; throws when it exceeds the limit.
  static func depth(of elements: some Sequence<Value>) throws(ValueError) -> Int {
    var deepest = 0
    for element in elements {
      if case .object(let object) = element {
        throw ValueError(unsupported: "\(object.kind) inside a list or dictionary")
      }
      deepest = max(deepest, element.depth)
    }
    guard deepest < RenderingLimits.valueDepth else {
      throw ValueError(exhausted: "nests lists and dictionaries too deeply")
    }
    return deepest + 1
  }
}

/// A dictionary that keeps the order of insertion.
///
/// Keys are compared with Python's equality in a linear search, since the dictionaries are small.
struct ValueDictionary {
  struct Entry {
    let key: Value
    var value: Value
  }

  private(set) var entries: [Entry] = []
  private(set) var depth = 1

  mutating func set(_ key: Value, to value: Value) throws(ValueError) {
    switch key {
    case .list, .dictionary, .undefined, .object:
      throw ValueError("\(key.kind) cannot be the key of a dictionary")
    default: break
    }
    depth = max(depth, try ValueList.depth(of: [key, value]))
    if let index = entries.firstIndex(where: { $0.key == key }) {
      entries[index].value = value
    } else {
      entries.append(Entry(key: key, value: value))
    }
  }

  subscript(key: Value) -> Value? {
    entries.first { $0.key == key }?.value
  }
}
