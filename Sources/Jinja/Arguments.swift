import Files

/// The evaluated arguments of a call to a filter, test, method or function.
struct Arguments {
  var positional: [Value] = []
  var keywords: [(name: String, value: Value)] = []

  /// Returns the arguments in the order of `names`, with nil for each argument that is not given.
  func bound(to names: [String], of callee: String) throws(TemplateError) -> [Value?] {
    guard positional.count <= names.count else {
      throw TemplateError(
        line: line, .evaluation("'\(callee)' takes at most \(names.count, "argument")"))
    }
    var values: [Value?] = positional + Array(repeating: nil, count: names.count - positional.count)
    for (name, value) in keywords {
      guard let index = names.firstIndex(of: name) else {
        throw TemplateError(line: line, .evaluation("'\(callee)' takes no argument '\(name)'"))
      }
      guard values[index] == nil else {
        throw TemplateError(line: line, .evaluation("'\(callee)' receives '\(name)' twice"))
      }
      values[index] = value
    }
    return values
  }

  /// The line of the call.
  let line: Int

  init(line: Int) { self.line = line }
}

extension Renderer {
  /// Evaluates `arguments`.
  func evaluate(_ arguments: CallArguments, line: Int) throws(TemplateError) -> Arguments {
    var result = Arguments(line: line)
    for expression in arguments.positional { result.positional.append(try evaluate(expression)) }
    if let spread = arguments.spread {
      result.positional += try elements(of: try evaluate(spread))
    }
    for (name, expression) in arguments.keywords {
      result.keywords.append((name, try evaluate(expression)))
    }
    if let spread = arguments.spreadKeywords {
      guard case .dictionary(let entries) = try evaluate(spread) else {
        throw failure("the value after '**' is not a dictionary")
      }
      for entry in entries.entries {
        let (key, value) = (entry.key, entry.value)
        guard case .text(let name) = key else {
          throw failure("\(key.kind) cannot be the name of an argument")
        }
        result.keywords.append((name.string, value))
      }
    }
    self.line = line
    return result
  }

  // MARK: Types of arguments

  /// Returns `value` as a string, or `fallback` when it is nil; throws for a value of another type.
  func textArgument(_ value: Value?, _ fallback: Text? = nil) throws(TemplateError) -> Text {
    if let value, case .text(let text) = value { return text }
    if value == nil, let fallback { return fallback }
    throw failure("an argument must be a string, not \(value?.kind ?? "missing")")
  }

  /// Returns `value` as an integer, or `fallback` when it is nil; throws for a value of another
  /// type.
  func wholeArgument(_ value: Value?, _ fallback: Int? = nil) throws(TemplateError) -> Int {
    if let number = value?.wholeNumber { return number }
    if value == nil, let fallback { return fallback }
    throw failure("an argument must be an integer, not \(value?.kind ?? "missing")")
  }
}
