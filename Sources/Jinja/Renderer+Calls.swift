import Files

extension Function {
  /// The names of the built-in functions.
  static let names = [
    "range", "dict", "namespace", "cycler", "joiner", "lipsum", "raise_exception", "strftime_now",
  ]
}

extension Renderer {
  /// Returns the value of a call.
  ///
  /// - Parameter caller: The body of a `call` block; nil for other calls.
  func evaluate(_ expression: Expression, caller: Value?) throws(TemplateError) -> Value {
    guard case .call(let callee, let written, let line) = expression else {
      return try evaluate(expression)
    }
    let value = try evaluate(callee)
    var arguments = try evaluate(written, line: line)
    self.line = line
    if let caller { arguments.keywords.append(("caller", caller)) }
    switch value {
    case .object(let macro as Macro): return .text(try call(macro, arguments))
    case .object(let function as Function): return try call(function.name, arguments)
    case .object(let method as BoundMethod): return try call(method, arguments)
    case .object(let stepper as Stepper) where stepper.isJoiner:
      defer { stepper.position = 1 }
      return stepper.position == 0 ? .text("") : stepper.elements[0]
    case .undefined(let clause): throw failure("\(clause), so it cannot be called")
    default: throw failure("\(value.kind) cannot be called")
    }
  }

  /// Returns the output of `macro`.
  private func call(_ macro: Macro, _ arguments: Arguments) throws(TemplateError) -> Text {
    let definition = macro.definition
    var rest = arguments.keywords
    let positional = arguments.positional
    let outside = line
    let text = try capture { () throws(TemplateError) in
      try inScope(of: macro.scope) { () throws(TemplateError) in
        for (index, (name, fallback)) in definition.parameters.enumerated() {
          if index < positional.count {
            scope.variables[name] = positional[index]
          } else if let keyword = rest.firstIndex(where: { $0.name == name }) {
            scope.variables[name] = rest.remove(at: keyword).value
          } else if let fallback {
            scope.variables[name] = try evaluate(fallback)
          } else {
            scope.variables[name] = .undefined("the parameter '\(name)' was not provided")
          }
        }
        if let caller = rest.firstIndex(where: { $0.name == "caller" }) {
          scope.variables["caller"] = rest.remove(at: caller).value
        }
        try bindRest(definition, positional.dropFirst(definition.parameters.count), rest)
        _ = try run(definition.body)
      }
    }
    line = outside
    return text
  }

  private func bindRest(
    _ definition: MacroDefinition, _ more: ArraySlice<Value>,
    _ keywords: [(name: String, value: Value)]
  ) throws(TemplateError) {
    let name = definition.name
    if definition.acceptsVarargs {
      scope.variables["varargs"] = .tuple(
        try located { () throws(ValueError) in try ValueList(Array(more)) })
    } else if !more.isEmpty {
      throw failure(
        "the macro '\(name)' takes at most \(definition.parameters.count, "argument")")
    }
    if definition.acceptsKwargs {
      var entries = ValueDictionary()
      for (name, value) in keywords {
        try located { () throws(ValueError) in try entries.set(.text(name), to: value) }
      }
      scope.variables["kwargs"] = .dictionary(entries)
    } else if let keyword = keywords.first {
      throw failure("the macro '\(name)' takes no argument '\(keyword.name)'")
    }
  }

  private func call(_ function: String, _ arguments: Arguments) throws(TemplateError) -> Value {
    switch function {
    case "raise_exception":
      let values = try arguments.bound(to: ["message"], of: function)
      let message = try text(of: values[0] ?? .none)
      throw TemplateError(line: line, .raised(message.string))
    case "strftime_now":
      let values = try arguments.bound(to: ["format"], of: function)
      let format = try textArgument(values[0]).string
      guard let text = date.formatted(format) else {
        throw unsupported("strftime_now with the format \"\(format.prefix(40))\"")
      }
      return .text(text)
    case "range": return try range(arguments)
    case "dict": return .dictionary(try dictionary(arguments))
    case "namespace":
      let namespace = Namespace()
      for entry in try dictionary(arguments).entries {
        let (key, value) = (entry.key, entry.value)
        guard case .text(let name) = key else { continue }
        try located { () throws(ValueError) in try namespace.set(name.string, to: value) }
      }
      return .object(namespace)
    case "cycler":
      guard !arguments.positional.isEmpty else { throw failure("a cycler needs a value") }
      return .object(Stepper(arguments.positional, isJoiner: false))
    case "joiner":
      let values = try arguments.bound(to: ["sep"], of: function)
      return .object(Stepper([values[0] ?? .text(", ")], isJoiner: true))
    default: throw unsupported("the function '\(function)'")
    }
  }

  private func dictionary(_ arguments: Arguments) throws(TemplateError) -> ValueDictionary {
    var result = ValueDictionary()
    guard arguments.positional.count <= 1 else { throw failure("'dict' takes one dictionary") }
    if let first = arguments.positional.first {
      if case .dictionary(let entries) = first {
        result = entries
      } else {
        for pair in try elements(of: first) {
          let parts = try elements(of: pair)
          guard parts.count == 2 else { throw failure("'dict' needs pairs of key and value") }
          try spend(result.entries.count)
          try located { () throws(ValueError) in try result.set(parts[0], to: parts[1]) }
        }
      }
    }
    for (name, value) in arguments.keywords {
      try spend(result.entries.count)
      try located { () throws(ValueError) in try result.set(.text(name), to: value) }
    }
    return result
  }

  private func range(_ arguments: Arguments) throws(TemplateError) -> Value {
    var bounds: [Int] = []
    for value in arguments.positional { bounds.append(try wholeArgument(value)) }
    guard (1...3).contains(bounds.count), arguments.keywords.isEmpty else {
      throw failure("'range' takes one to three integers")
    }
    let (start, stop) = bounds.count == 1 ? (0, bounds[0]) : (bounds[0], bounds[1])
    let step = bounds.count == 3 ? bounds[2] : 1
    guard step != 0 else { throw failure("the step of a range is 0") }
    let (span, overflows) = stop.subtractingReportingOverflow(start)
    guard !overflows, span.magnitude / step.magnitude < RenderingLimits.range else {
      throw TemplateError(
        line: line, .exhausted("has a range of more than \(RenderingLimits.range) numbers"))
    }
    return try list(of: stride(from: start, to: stop, by: step).map { .integer($0) })
  }
}
