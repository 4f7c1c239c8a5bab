extension Value {
  /// Python's equality.
  ///
  /// The depth of values, and with it the recursion, is bounded. With shared parts the time can be
  /// exponential in that depth, so the renderer first counts the steps of a comparison with
  /// `weight`.
  static func == (left: Value, right: Value) -> Bool {
    if let a = left.number, let b = right.number { return a == b }
    switch (left, right) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.text(let a), .text(let b)): return a == b
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
      return a.elements.count == b.elements.count
        && zip(a.elements, b.elements).allSatisfy { $0 == $1 }
    case (.dictionary(let a), .dictionary(let b)):
      return a.entries.count == b.entries.count
        && a.entries.allSatisfy { entry in b[entry.key].map { entry.value == $0 } ?? false }
    case (.object(let a), .object(let b)): return a === b
    default: return false
    }
  }

  /// Returns the cost of reading the value, counted up to `limit`: one per element, and one for
  /// every eight characters.
  func weight(upTo limit: Int) -> Int {
    var total = 1
    switch self {
    case .text(let text): total += text.count / 8
    case .list(let list), .tuple(let list):
      for element in list.elements where total < limit {
        total += element.weight(upTo: limit - total)
      }
    case .dictionary(let dictionary):
      for entry in dictionary.entries where total < limit {
        let (key, value) = (entry.key, entry.value)
        total += key.weight(upTo: limit - total)
        total += value.weight(upTo: max(1, limit - total))
      }
    default: break
    }
    return total
  }

  /// Python's `<`: of numbers, of strings, and of lists and tuples element by element.
  static func precedes(_ left: Value, _ right: Value) throws(ValueError) -> Bool {
    if let a = left.number, let b = right.number { return a < b }
    switch (left, right) {
    case (.text(let a), .text(let b)): return a < b
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
      for (x, y) in zip(a.elements, b.elements) where !(x == y) { return try precedes(x, y) }
      return a.elements.count < b.elements.count
    case (.undefined(let clause), _), (_, .undefined(let clause)): throw ValueError(clause)
    default: throw ValueError("\(left.kind) and \(right.kind) cannot be ordered")
    }
  }

  /// Python's `element in self`.
  func contains(_ element: Value) throws(ValueError) -> Bool {
    switch self {
    case .text(let text):
      guard case .text(let part) = element else {
        throw ValueError("\(element.kind) cannot be searched for in a string")
      }
      return text.firstIndex(of: part) != nil
    case .list(let list), .tuple(let list): return list.elements.contains { $0 == element }
    case .dictionary(let entries): return entries[element] != nil
    case .undefined: return false
    case .object(let object as GeneratorObject): return object.take().contains { $0 == element }
    default: throw ValueError("'in' does not apply to \(kind)")
    }
  }
}
