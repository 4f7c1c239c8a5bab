extension Renderer {
  /// Applies a filter that takes a sequence.
  func sequenceFilter(
    _ value: Value, _ name: String, _ arguments: Arguments
  ) throws(TemplateError) -> Value {
    switch name {
    case "join": return .text(try joined(value, arguments))
    case "sort", "unique", "min", "max": return try ordered(value, name, arguments)
    case "dictsort": return try sortedPairs(value, arguments)
    case "groupby": return try groups(of: value, arguments)
    case "batch", "slice": return try portions(of: value, name, arguments)
    case "sum":
      let values = try arguments.bound(to: ["attribute", "start"], of: name)
      var total = values[1] ?? .integer(0)
      for element in try elements(of: value) {
        total = try arithmetic(total, .add, try self.part(values[0], of: element))
      }
      return total
    default:
      _ = try arguments.bound(to: [], of: name)
      return try plainSequenceFilter(value, name)
    }
  }

  private func plainSequenceFilter(
    _ value: Value, _ name: String
  ) throws(TemplateError) -> Value {
    switch (name, value) {
    case ("length", .text(let text)), ("count", .text(let text)): return .integer(text.count)
    case ("length", .object), ("count", .object): throw failure("\(value.kind) has no length")
    case ("length", _), ("count", _): return .integer(try elements(of: value).count)
    case ("first", .object(let generator as GeneratorObject)):
      return generator.next() ?? .undefined("there is no first element")
    case ("first", _):
      return try elements(of: value).first ?? .undefined("there is no first element")
    case ("last", .object), ("reverse", .object):
      throw failure("\(value.kind) has no reverse order")
    case ("last", _):
      return try elements(of: value).last ?? .undefined("there is no last element")
    case ("reverse", .text(let text)): return .text(text.reversed)
    case ("reverse", _): return .object(GeneratorObject(try elements(of: value).reversed()))
    case ("items", .dictionary(let entries)):
      return .object(GeneratorObject(try pairs(of: entries)))
    case ("items", .undefined): return .object(GeneratorObject([]))
    case ("items", _): throw failure("\(value.kind) has no items")
    default: return try list(of: try elements(of: value))
    }
  }

  private func joined(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Text {
    let values = try arguments.bound(to: ["d", "attribute"], of: "join")
    let separator = try text(of: values[0] ?? .text(""))
    var texts: [Text] = []
    for element in try elements(of: value) {
      texts.append(try text(of: try part(values[1], of: element)))
    }
    return try joined(texts, by: separator)
  }

  /// Returns the part of `value` that `path` names: attributes and indices separated by points.
  ///
  /// Without a path it is `value`, and `fallback`, when given, takes the place of an undefined
  /// part.
  func part(
    _ path: Value?, of value: Value, fallback: Value? = nil
  ) throws(TemplateError) -> Value {
    guard let path else { return value }
    var result = value
    switch path {
    case .none: return value
    case .text(let text):
      for name in text.split(Text("."), most: -1) {
        try spend(name.count)
        let key = Int(name.string).map(Value.integer) ?? .text(name)
        result = try item(key, of: result)
      }
    default: result = try item(path, of: value)
    }
    if let fallback, undefinedClause(result) != nil { return fallback }
    return result
  }

  /// Returns the key by which `value` is sorted: strings in lower case, unless case counts.
  private func sortKey(_ value: Value, _ isCaseSensitive: Bool) -> Value {
    if !isCaseSensitive, case .text(let text) = value { return .text(text.lowercased) }
    return value
  }

  private func ordered(
    _ value: Value, _ name: String, _ arguments: Arguments
  ) throws(TemplateError) -> Value {
    let names =
      name == "sort"
      ? ["reverse", "case_sensitive", "attribute"] : ["case_sensitive", "attribute"]
    let values = try arguments.bound(to: names, of: name)
    let path = values[names.count - 1]
    let isCaseSensitive = values[names.count - 2]?.isTrue ?? false
    var keyed: [(key: Value, value: Value)] = []
    for element in try elements(of: value) {
      keyed.append((sortKey(try part(path, of: element), isCaseSensitive), element))
    }
    if name == "unique" {
      var seen: [Value] = []
      var kept: [Value] = []
      for (key, element) in keyed {
        try spend(8 * seen.count)
        if seen.contains(where: { $0 == key }) { continue }
        seen.append(key)
        kept.append(element)
      }
      return .object(GeneratorObject(kept))
    }
    guard !keyed.isEmpty || name == "sort" else {
      return .undefined("there is no smallest or largest element")
    }
    let isReverse = name == "sort" && values[0]?.isTrue ?? false
    let sorted = try self.sorted(keyed, isReverse: isReverse)
    switch name {
    case "min": return sorted[0].value
    case "max":
      var greatest = keyed[0]
      for pair in keyed.dropFirst() where try compare(greatest.key, .less, pair.key) {
        greatest = pair
      }
      return greatest.value
    default: return try list(of: sorted.map(\.value))
    }
  }

  /// Returns `pairs` sorted by key with a stable merge sort; throws when two keys have no order.
  private func sorted(
    _ pairs: [(key: Value, value: Value)], isReverse: Bool
  ) throws(TemplateError) -> [(key: Value, value: Value)] {
    guard pairs.count > 1 else { return pairs }
    let middle = pairs.count / 2
    let left = try sorted(Array(pairs[..<middle]), isReverse: isReverse)
    let right = try sorted(Array(pairs[middle...]), isReverse: isReverse)
    var result: [(key: Value, value: Value)] = []
    var (i, j) = (0, 0)
    while i < left.count && j < right.count {
      let takesRight =
        isReverse
        ? try compare(left[i].key, .less, right[j].key)
        : try compare(right[j].key, .less, left[i].key)
      if takesRight {
        result.append(right[j])
        j += 1
      } else {
        result.append(left[i])
        i += 1
      }
    }
    return result + left[i...] + right[j...]
  }

  private func sortedPairs(
    _ value: Value, _ arguments: Arguments
  ) throws(TemplateError) -> Value {
    let values = try arguments.bound(to: ["case_sensitive", "by", "reverse"], of: "dictsort")
    guard case .dictionary(let entries) = value else { throw failure("\(value.kind) has no keys") }
    let by = try textArgument(values[1], Text("key")).string
    guard by == "key" || by == "value" else { throw failure("'dictsort' sorts by key or value") }
    let isCaseSensitive = values[0]?.isTrue ?? false
    var keyed: [(key: Value, value: Value)] = []
    for (pair, entry) in zip(try pairs(of: entries), entries.entries) {
      keyed.append((sortKey(by == "key" ? entry.key : entry.value, isCaseSensitive), pair))
    }
    return try list(
      of: try sorted(keyed, isReverse: values[2]?.isTrue ?? false).map(\.value))
  }

  private func groups(
    of value: Value, _ arguments: Arguments
  ) throws(TemplateError) -> Value {
    let values = try arguments.bound(to: ["attribute", "default", "case_sensitive"], of: "groupby")
    guard let path = values[0] else { throw failure("'groupby' needs an attribute") }
    let isCaseSensitive = values[2]?.isTrue ?? false
    var keyed: [(key: Value, value: Value)] = []
    for element in try elements(of: value) {
      let key = sortKey(try part(path, of: element, fallback: values[1]), isCaseSensitive)
      keyed.append((key, element))
    }
    var groups: [Value] = []
    var rest = try sorted(keyed, isReverse: false)[...]
    while let first = rest.first {
      var members: [Value] = []
      while let next = rest.first, try compare(next.key, .equal, first.key) {
        members.append(next.value)
        rest.removeFirst()
      }
      let name = try part(path, of: first.value, fallback: values[1])
      let list = try list(of: members)
      groups.append(.tuple(try located { () throws(ValueError) in try ValueList([name, list]) }))
    }
    return try list(of: groups)
  }

  private func portions(
    of value: Value, _ name: String, _ arguments: Arguments
  ) throws(TemplateError) -> Value {
    let values = try arguments.bound(
      to: [name == "batch" ? "linecount" : "slices", "fill_with"], of: name)
    let size = try wholeArgument(values[0])
    guard size > 0, size <= RenderingLimits.range else {
      throw failure("\(size) is not a valid size")
    }
    let elements = try elements(of: value)
    var portions: [Value] = []
    var fill = values[1]
    if let given = fill, case .none = given { fill = nil }
    if name == "batch" {
      for start in stride(from: 0, to: elements.count, by: size) {
        var part = Array(elements[start..<min(elements.count, start + size)])
        if let fill { part += Array(repeating: fill, count: size - part.count) }
        portions.append(try list(of: part))
      }
    } else {
      let (least, more) = elements.count.quotientAndRemainder(dividingBy: size)
      var start = 0
      for index in 0..<size {
        let end = start + least + (index < more ? 1 : 0)
        var part = Array(elements[start..<end])
        if let fill, index >= more { part.append(fill) }
        portions.append(try list(of: part))
        start = end
      }
    }
    return .object(GeneratorObject(portions))
  }
}
