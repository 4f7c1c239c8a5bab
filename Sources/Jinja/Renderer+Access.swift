extension Renderer {
  /// Returns `value.name`: Python's attribute, or otherwise the item with that key.
  func attribute(_ name: String, of value: Value) throws(TemplateError) -> Value {
    if case .undefined(let clause) = value { throw failure(clause) }
    if name.hasPrefix("__") { throw unsupported("the attribute '\(name)'") }
    if let own = try ownAttribute(name, of: value) { return own }
    if case .dictionary(let entries) = value {
      try spend(entries.entries.count)
      if let item = entries[.text(name)] { return item }
    }
    return .undefined("\(value.kind) has no attribute '\(name)'")
  }

  /// Returns the attribute that Python's `getattr` finds; nil when there is none.
  private func ownAttribute(_ name: String, of value: Value) throws(TemplateError) -> Value? {
    switch value {
    case .object(let object): return object.attribute(name)
    case .text where Methods.ofTexts.contains(name),
      .dictionary where Methods.ofDictionaries.contains(name),
      .list where Methods.ofLists.contains(name),
      .tuple where Methods.ofTuples.contains(name):
      return .object(BoundMethod(value, name))
    default: return nil
    }
  }

  /// Returns `base[key]`: the item, or otherwise Python's attribute.
  func item(
    _ base: Expression, _ key: Expression, _ line: Int
  ) throws(TemplateError) -> Value {
    let (value, key) = (try evaluate(base), try evaluate(key))
    self.line = line
    return try item(key, of: value)
  }

  func item(_ key: Value, of value: Value) throws(TemplateError) -> Value {
    switch value {
    case .undefined(let clause): throw failure(clause)
    case .dictionary(let entries):
      try spend(entries.entries.count)
      if let item = entries[key] { return item }
    case .list(let list), .tuple(let list):
      if let index = key.wholeNumber {
        let position = index < 0 ? index + list.elements.count : index
        if list.elements.indices.contains(position) { return list.elements[position] }
      }
    case .text(let text):
      if let index = key.wholeNumber {
        let position = index < 0 ? index + text.count : index
        if text.letters.indices.contains(position) {
          return .text(text[position..<(position + 1)])
        }
      }
    default: break
    }
    if case .text(let name) = key, name.count < 100 {
      let name = name.string
      if name.hasPrefix("__") { throw unsupported("the attribute '\(name)'") }
      if let own = try ownAttribute(name, of: value) { return own }
      return .undefined("\(value.kind) has no element '\(name)'")
    }
    return .undefined("\(value.kind) has no such element")
  }

  /// Returns `base[start:stop:step]`; `bounds` are the three expressions.
  func slice(
    _ base: Expression, _ bounds: [Expression?], _ line: Int
  ) throws(TemplateError) -> Value {
    let value = try evaluate(base)
    var numbers: [Int?] = []
    for bound in bounds {
      guard let bound else {
        numbers.append(nil)
        continue
      }
      let number = try evaluate(bound)
      self.line = line
      if case .none = number {
        numbers.append(nil)
      } else if let whole = number.wholeNumber {
        numbers.append(whole)
      } else {
        throw failure(undefinedClause(number) ?? "\(number.kind) cannot be the bound of a slice")
      }
    }
    self.line = line
    func indices(_ count: Int) throws(TemplateError) -> [Int] {
      try spend(count)
      return try Self.indices(count, numbers[0], numbers[1], numbers[2] ?? 1, self)
    }
    switch value {
    case .text(let text) where text.isSafe: throw unsupported("a slice of a string after 'safe'")
    case .text(let text):
      return .text(Text(try indices(text.count).map { text.letters[$0] }))
    case .list(let list), .tuple(let list):
      let elements = try indices(list.elements.count).map { list.elements[$0] }
      let part = try located { () throws(ValueError) in try ValueList(elements) }
      if case .list = value { return .list(part) }
      return .tuple(part)
    case .undefined(let clause): throw failure(clause)
    default: return .undefined("\(value.kind) has no slices")
    }
  }

  /// Returns the indices that Python's slice of `count` elements selects.
  private static func indices(
    _ count: Int, _ start: Int?, _ stop: Int?, _ step: Int, _ renderer: Renderer
  ) throws(TemplateError) -> [Int] {
    guard step != 0 else { throw renderer.failure("the step of a slice is 0") }
    let (least, most) = step > 0 ? (0, count) : (-1, count - 1)
    func clamped(_ bound: Int) -> Int {
      min(max(bound < 0 ? bound + count : bound, least), most)
    }
    let first = start.map(clamped) ?? (step > 0 ? 0 : count - 1)
    let end = stop.map(clamped) ?? (step > 0 ? count : -1)
    // A step larger than the count selects one element. Clamping it avoids overflow.
    let step = min(max(step, -count - 1), count + 1)
    return Array(stride(from: first, to: end, by: step))
  }

  /// Returns the elements that a loop over `value` visits.
  func elements(of value: Value) throws(TemplateError) -> [Value] {
    switch value {
    case .list(let list), .tuple(let list):
      try spend(list.elements.count)
      return list.elements
    case .dictionary(let entries):
      try spend(entries.entries.count)
      return entries.entries.map(\.key)
    case .text(let text):
      try spend(8 * text.count)
      return text.letters.map { .text(Text([$0])) }
    case .undefined: return []
    case .object(let object as GeneratorObject): return object.take()
    default: throw failure("\(value.kind) has no elements")
    }
  }

  /// Returns a list value of `elements`.
  func list(of elements: [Value]) throws(TemplateError) -> Value {
    try spend(elements.count)
    return .list(try located { () throws(ValueError) in try ValueList(elements) })
  }
}
