import Files

extension Renderer {
  /// The control flow after a list of statements.
  enum Flow {
    case ends
    case breaks
    case continues
  }

  /// Runs `statements` in order.
  func run(_ statements: [Statement]) throws(TemplateError) -> Flow {
    try nested { () throws(TemplateError) in
      for statement in statements {
        let flow = try run(statement)
        if flow != .ends { return flow }
      }
      return .ends
    }
  }

  private func run(_ statement: Statement) throws(TemplateError) -> Flow {
    switch statement {
    case .text(let text): try write(text)
    case .output(let expression, let line):
      self.line = line
      try write(try text(of: try evaluate(expression)))
    case .conditional(let branches, let otherwise):
      for (test, body) in branches where try evaluate(test).isTrue { return try run(body) }
      return try run(otherwise)
    case .loop(let definition): try run(definition)
    case .set(let target, let expression, let line):
      self.line = line
      try assign(try evaluate(expression), to: target)
    case .setBlock(let target, let filter, let body, let line):
      let value = try captured(body, through: filter)
      self.line = line
      try assign(value, to: target)
    case .macro(let definition): scope.variables[definition.name] = macro(definition)
    case .callBlock(let call, let caller, let line):
      self.line = line
      try write(try text(of: try evaluate(call, caller: macro(caller))))
    case .filterBlock(let filter, let body, let line):
      self.line = line
      try write(try text(of: try captured(body, through: filter)))
    case .with(let values, let body, let line):
      self.line = line
      return try with(values, body)
    case .generation(let body):
      var text = try capture { () throws(TemplateError) in
        _ = try inScope { () throws(TemplateError) in try run(body) }
      }
      for index in text.letters.indices { text.letters[index] = text.letters[index].generated }
      try write(text)
    case .breakLoop: return .breaks
    case .continueLoop: return .continues
    }
    return .ends
  }

  private func captured(
    _ body: [Statement], through filter: Expression?
  ) throws(TemplateError) -> Value {
    let text = try capture { () throws(TemplateError) in
      _ = try inScope { () throws(TemplateError) in try run(body) }
    }
    guard let filter else { return .text(text) }
    captured = .text(text)
    return try evaluate(filter)
  }

  private func with(
    _ values: [(target: AssignmentTarget, value: Expression)], _ body: [Statement]
  ) throws(TemplateError) -> Flow {
    // The values are evaluated in the scope outside the block.
    var evaluated: [Value] = []
    for (_, value) in values { evaluated.append(try evaluate(value)) }
    return try inScope { () throws(TemplateError) in
      for (index, (target, _)) in values.enumerated() { try assign(evaluated[index], to: target) }
      return try run(body)
    }
  }

  private func run(_ definition: LoopDefinition) throws(TemplateError) {
    line = definition.line
    var elements = try self.elements(of: try evaluate(definition.elements))
    if let filter = definition.filter {
      var kept: [Value] = []
      for element in elements {
        let isKept = try inScope { () throws(TemplateError) in
          try assign(element, to: definition.target)
          return try evaluate(filter).isTrue
        }
        if isKept { kept.append(element) }
      }
      elements = kept
    }
    if elements.isEmpty {
      _ = try inScope { () throws(TemplateError) in try run(definition.otherwise) }
    } else {
      try loop(definition, over: elements)
    }
  }

  /// Assigns `value` to `target` in the current scope.
  func assign(_ value: Value, to target: AssignmentTarget) throws(TemplateError) {
    switch target {
    case .name(let name): scope.variables[name] = value
    case .attribute(let name, let attribute):
      guard case .object(let object as Namespace)? = scope.find(name) else {
        throw failure("'\(name)' is not a namespace, so '\(attribute)' cannot be set on it")
      }
      try located { () throws(ValueError) in try object.set(attribute, to: value) }
    case .tuple(let targets):
      let elements = try self.elements(of: value)
      guard elements.count == targets.count else {
        throw failure("\(elements.count, "value") cannot be assigned to \(targets.count, "name")")
      }
      for (target, element) in zip(targets, elements) { try assign(element, to: target) }
    }
  }
}
