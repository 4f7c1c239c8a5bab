import Foundation

extension Renderer {
  /// Returns `left` `operation` `right` as Python computes it.
  func arithmetic(
    _ left: Value, _ operation: ArithmeticOperator, _ right: Value
  ) throws(TemplateError) -> Value {
    if let a = left.number, let b = right.number {
      if case (.integer(let a), .integer(let b)) = (a, b) {
        return try whole(a, operation, b)
      }
      return .real(try real(a.double, operation, b.double))
    }
    if let clause = undefinedClause(left) ?? undefinedClause(right) { throw failure(clause) }
    switch (left, operation, right) {
    case (.text(let a), .add, .text(let b)):
      try checkSize(a.count + b.count)
      guard a.isSafe || b.isSafe else { return .text(a + b) }
      var sum = a.escaped
      sum += b.escaped
      try checkSize(sum.count)
      return .text(sum)
    case (.list(let a), .add, .list(let b)):
      return .list(try joined([a.elements, b.elements]))
    case (.tuple(let a), .add, .tuple(let b)):
      return .tuple(try joined([a.elements, b.elements]))
    case (_, .multiply, _):
      if let count = right.wholeNumber { return try repeated(left, count) }
      if let count = left.wholeNumber { return try repeated(right, count) }
    case (.text(let format), .remainder, let value):
      return .text(try formatted(format, with: value))
    default: break
    }
    throw failure("\(left.kind) \(operation.rawValue) \(right.kind) is not defined")
  }

  private func joined(_ parts: [[Value]]) throws(TemplateError) -> ValueList {
    let count = parts.reduce(0) { $0 + $1.count }
    try checkSize(count)
    return try located { () throws(ValueError) in try ValueList(Array(parts.joined())) }
  }

  private func repeated(_ value: Value, _ count: Int) throws(TemplateError) -> Value {
    let count = max(0, count)
    func check(_ length: Int) throws(TemplateError) {
      let (size, overflows) = length.multipliedReportingOverflow(by: count)
      try checkSize(overflows ? Int.max : size)
    }
    switch value {
    case .text(let text):
      try check(text.count)
      return .text(Text(repeatElement(text.letters, count: count).joined()))
    case .list(let list), .tuple(let list):
      try check(list.elements.count)
      let all = try joined(Array(repeating: list.elements, count: count))
      if case .list = value { return .list(all) }
      return .tuple(all)
    default: throw failure("\(value.kind) cannot be repeated")
    }
  }

  private func whole(
    _ a: Int, _ operation: ArithmeticOperator, _ b: Int
  ) throws(TemplateError) -> Value {
    let result: (partialValue: Int, overflow: Bool)
    switch operation {
    case .add: result = a.addingReportingOverflow(b)
    case .subtract: result = a.subtractingReportingOverflow(b)
    case .multiply: result = a.multipliedReportingOverflow(by: b)
    case .divide: return .real(try real(Double(a), .divide, Double(b)))
    case .floorDivide, .remainder:
      guard b != 0 else { throw failure("a division by zero") }
      let (quotient, overflows) = a.dividedReportingOverflow(by: b)
      if overflows { throw unsupported("integers beyond 64 bits") }
      let remainder = a - quotient * b
      // Python's floor division rounds down, and its remainder has the sign of the divisor.
      let isBelow = remainder != 0 && (remainder < 0) != (b < 0)
      return .integer(
        operation == .remainder ? remainder + (isBelow ? b : 0) : quotient - (isBelow ? 1 : 0))
    case .power:
      guard b >= 0 else { return .real(try real(Double(a), .power, Double(b))) }
      return .integer(try power(a, b))
    }
    if result.overflow { throw unsupported("integers beyond 64 bits") }
    return .integer(result.partialValue)
  }

  private func power(_ base: Int, _ exponent: Int) throws(TemplateError) -> Int {
    var result = 1
    // With more than 64 factors only the bases 0, 1 and -1 stay within 64 bits.
    let factors = base.magnitude <= 1 && exponent > 2 ? 2 - exponent % 2 : exponent
    for _ in 0..<factors {
      let (product, overflows) = result.multipliedReportingOverflow(by: base)
      if overflows { throw unsupported("integers beyond 64 bits") }
      result = product
    }
    return result
  }

  private func real(
    _ a: Double, _ operation: ArithmeticOperator, _ b: Double
  ) throws(TemplateError) -> Double {
    switch operation {
    case .add: return a + b
    case .subtract: return a - b
    case .multiply: return a * b
    case .power: return pow(a, b)
    case .divide, .floorDivide, .remainder:
      guard b != 0 else { throw failure("a division by zero") }
      if operation == .divide { return a / b }
      var remainder = fmod(a, b)
      if remainder != 0, (remainder < 0) != (b < 0) { remainder += b }
      return operation == .remainder ? remainder : ((a - remainder) / b).rounded()
    }
  }

  /// Returns Python's `format % value`; `%s`, `%d` and `%%` are supported.
  func formatted(_ format: Text, with value: Value) throws(TemplateError) -> Text {
    var values: [Value] = [value]
    if case .tuple(let list) = value { values = list.elements }
    var result = Text()
    var index = 0
    while index < format.count {
      let letter = format.letters[index]
      index += 1
      guard letter.value == 0x25 else {
        result.letters.append(letter)
        continue
      }
      let conversion = index < format.count ? format.letters[index].scalar : " "
      index += 1
      if conversion == "%" {
        result.letters.append(letter)
        continue
      }
      guard conversion == "s" || conversion == "d" else {
        throw unsupported("the format '%\(conversion)'")
      }
      guard !values.isEmpty else { throw failure("a format has too few values") }
      let next = values.removeFirst()
      if conversion == "d", next.wholeNumber == nil {
        throw failure("'%d' needs an integer, not \(next.kind)")
      }
      let text = conversion == "d" ? Text("\(next.wholeNumber ?? 0)") : try text(of: next)
      try checkSize(result.count + text.count)
      result += text
    }
    guard values.isEmpty else { throw failure("a format has too many values") }
    return result
  }
}
