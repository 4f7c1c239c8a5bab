extension Renderer {
  /// Applies `map`, `select`, `reject`, `selectattr` or `rejectattr`.
  func selectionFilter(
    _ value: Value, _ name: String, _ arguments: Arguments
  ) throws(TemplateError) -> Value {
    let elements = try elements(of: value)
    if name == "map" { return .object(GeneratorObject(try mapped(elements, arguments))) }
    var rest = arguments
    var path: Value?
    if name.hasSuffix("attr") {
      guard !rest.positional.isEmpty else { throw failure("'\(name)' needs an attribute") }
      path = rest.positional.removeFirst()
    }
    let test = try takeName(from: &rest, among: Tests.names, "the test")
    let keeps = name.hasPrefix("select")
    var kept: [Value] = []
    for element in elements {
      try spend()
      let part = try part(path, of: element)
      let passes = try test.map { test throws(TemplateError) in try self.test(part, test, rest) }
      if passes ?? part.isTrue == keeps { kept.append(element) }
    }
    return .object(GeneratorObject(kept))
  }

  private func mapped(
    _ elements: [Value], _ arguments: Arguments
  ) throws(TemplateError) -> [Value] {
    var rest = arguments
    var results: [Value] = []
    if rest.positional.isEmpty {
      let values = try rest.bound(to: ["attribute", "default"], of: "map")
      guard let path = values[0] else { throw failure("'map' needs a filter or an attribute") }
      for element in elements {
        results.append(try part(path, of: element, fallback: values[1]))
      }
      return results
    }
    guard let filter = try takeName(from: &rest, among: Filters.names, "the filter") else {
      throw failure("'map' needs the name of a filter")
    }
    for element in elements {
      try spend()
      results.append(try self.filter(element, filter, rest))
    }
    return results
  }

  /// Removes and returns the first argument, the name of a filter or test; nil without arguments.
  private func takeName(
    from arguments: inout Arguments, among names: Set<String>, _ what: String
  ) throws(TemplateError) -> String? {
    guard let first = arguments.positional.first else { return nil }
    let name = try textArgument(first).string
    guard names.contains(name) else { throw unsupported("\(what) '\(name.prefix(40))'") }
    arguments.positional.removeFirst()
    return name
  }
}
