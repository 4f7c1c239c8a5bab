/// The names of the methods of Python's types.
enum Methods {
  static let ofTexts: Set<String> = [
    "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "startswith", "endswith",
    "replace", "upper", "lower", "casefold", "title", "capitalize", "swapcase", "join", "find",
    "rfind", "index", "rindex", "count", "removeprefix", "removesuffix", "isdigit", "isdecimal",
    "isnumeric", "isalpha", "isalnum", "isspace", "islower", "isupper", "zfill", "center", "ljust",
    "rjust", "partition", "rpartition", "format", "format_map", "encode", "translate", "maketrans",
    "expandtabs", "istitle", "isidentifier", "isprintable", "isascii",
  ]

  static let ofDictionaries: Set<String> = [
    "get", "items", "keys", "values", "copy", "pop", "popitem", "update", "setdefault", "clear",
    "fromkeys",
  ]

  static let ofLists: Set<String> = [
    "index", "count", "copy", "append", "extend", "insert", "pop", "remove", "reverse", "sort",
    "clear",
  ]

  static let ofTuples: Set<String> = ["index", "count"]

  /// Methods that change their receiver, which jinja2's sandbox forbids.
  static let changing: Set<String> = [
    "pop", "popitem", "update", "setdefault", "clear", "append", "extend", "insert", "remove",
    "reverse", "sort",
  ]
}

extension Renderer {
  func call(_ method: BoundMethod, _ arguments: Arguments) throws(TemplateError) -> Value {
    let name = method.name
    switch method.receiver {
    case .text(let text): return try call(name, of: text, arguments)
    case .dictionary, .list, .tuple:
      if Methods.changing.contains(name) {
        throw unsupported("'\(name)', which changes \(method.receiver.kind)")
      }
      if case .dictionary(let entries) = method.receiver {
        return try call(name, of: entries, arguments)
      }
      return try callOnElements(name, of: method.receiver, arguments)
    case .object(let loop as LoopState): return try call(name, of: loop, arguments)
    case .object(let stepper as Stepper):
      defer {
        stepper.position = name == "reset" ? 0 : (stepper.position + 1) % stepper.elements.count
      }
      return name == "reset" ? .none : stepper.elements[stepper.position]
    default: throw unsupported("the method '\(name)'")
    }
  }

  private func call(
    _ name: String, of entries: ValueDictionary, _ arguments: Arguments
  ) throws(TemplateError) -> Value {
    try spend(entries.entries.count)
    switch name {
    case "get":
      let values = try arguments.bound(to: ["key", "default"], of: name)
      guard let key = values[0] else { throw failure("'get' needs a key") }
      return entries[key] ?? values[1] ?? .none
    case "keys": return try list(of: entries.entries.map(\.key))
    case "values": return try list(of: entries.entries.map(\.value))
    case "items": return try list(of: try pairs(of: entries))
    case "copy": return .dictionary(entries)
    default: throw unsupported("the method '\(name)' of a dictionary")
    }
  }

  /// Returns the items of a dictionary as tuples of key and value.
  func pairs(of entries: ValueDictionary) throws(TemplateError) -> [Value] {
    try located { () throws(ValueError) in
      var pairs: [Value] = []
      for entry in entries.entries {
        pairs.append(.tuple(try ValueList([entry.key, entry.value])))
      }
      return pairs
    }
  }

  private func callOnElements(
    _ name: String, of value: Value, _ arguments: Arguments
  ) throws(TemplateError) -> Value {
    let elements = try elements(of: value)
    if name == "copy" { return value }
    guard let wanted = try arguments.bound(to: ["value"], of: name)[0] else {
      throw failure("'\(name)' needs a value")
    }
    try spend(8 * value.weight(upTo: limits.steps))
    if name == "count" { return .integer(elements.count { $0 == wanted }) }
    guard let index = elements.firstIndex(where: { $0 == wanted }) else {
      throw failure("\(wanted.kind) is not in \(value.kind)")
    }
    return .integer(index)
  }

  private func call(
    _ name: String, of loop: LoopState, _ arguments: Arguments
  ) throws(TemplateError) -> Value {
    let values = arguments.positional
    if name == "cycle" {
      guard !values.isEmpty else { throw failure("'loop.cycle' needs a value") }
      return values[loop.index % values.count]
    }
    defer { loop.previousArguments = values }
    guard let last = loop.previousArguments, last.count == values.count else { return .bool(true) }
    for (old, new) in zip(last, values) where try compare(old, .notEqual, new) {
      return .bool(true)
    }
    return .bool(false)
  }
}
