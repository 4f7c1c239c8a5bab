/// The set of values that a key admits.
enum Domain: Sendable {
  case integer(Bounds<Int>, unit: String?)
  case number(Bounds<Double>, unit: String?)
  case boolean
  case text
  case choice([String])
  case texts
  case section
  case sections
  case numbers(Bounds<Double>, count: Int?, unit: String?)
  case integers(Bounds<Int>, count: Int?, unit: String?)

  /// True when `value`, of the right type, is within the bounds.
  func admits(_ value: ResolvedValue) -> Bool {
    switch (self, value) {
    case (.integer(let bounds, _), .integer(let value)),
      (.integers(let bounds, _, _), .integer(let value)):
      bounds.contains(value)
    case (.number(let bounds, _), .number(let value)),
      (.numbers(let bounds, _, _), .number(let value)):
      value.isFinite && bounds.contains(value)
    case (.choice(let names), .text(let name)): names.contains(name)
    default: true
    }
  }

  /// True when `text` is a number of the right kind that the type cannot represent.
  func overflows(_ text: String) -> Bool {
    switch self {
    case .integer, .integers:
      Scalar.isDecimalInteger(text) || (Scalar.isNumber(text) && isHuge(text))
    case .number, .numbers:
      Scalar.isNumber(text)
    default:
      false
    }
  }

  private func isHuge(_ text: String) -> Bool {
    (Double(text) ?? .infinity).magnitude > 0x1p53
  }

  /// The range that the type can represent, for errors.
  var representable: String {
    switch self {
    case .integer(let bounds, _), .integers(let bounds, _, _):
      "\(bounds.whole), in digits above 2^53"
    default: "a number that 64 bits can hold"
    }
  }

  /// True when values are texts, free or of a list.
  var isText: Bool {
    switch self {
    case .text, .texts, .choice: true
    default: false
    }
  }

  /// The name of the type in the schema.
  var type: String {
    switch self {
    case .integer: "integer"
    case .number: "number"
    case .boolean: "boolean"
    case .text: "text"
    case .choice: "choice"
    case .texts: "list of texts"
    case .section: "section"
    case .sections: "list of sections"
    case .numbers(_, let count, _): "list of \(count.map { "\($0) " } ?? "")numbers"
    case .integers(_, let count, _): "list of \(count.map { "\($0) " } ?? "")integers"
    }
  }

  /// The type as it continues the sentence "KEY must be …".
  var expectation: String {
    switch self {
    case .integer: "an integer"
    case .number: "a finite number"
    case .boolean: "true or false"
    case .text: "a text"
    case .choice(let names): "one of \(names.joined(separator: ", "))"
    case .texts: "a text or a list of texts"
    case .section: "a section with keys"
    case .sections: "a list of sections with keys"
    case .numbers, .integers: "a \(type)"
    }
  }

  var range: String? {
    switch self {
    case .integer(let bounds, _), .integers(let bounds, _, _): bounds.sentence
    case .number(let bounds, _), .numbers(let bounds, _, _): bounds.sentence
    case .choice(let names): "one of \(names.joined(separator: ", "))"
    default: nil
    }
  }

  var unit: String? {
    switch self {
    case .integer(_, let unit), .number(_, let unit), .numbers(_, _, let unit),
      .integers(_, _, let unit):
      unit
    default: nil
    }
  }

  var count: Int? {
    switch self {
    case .numbers(_, let count, _), .integers(_, let count, _): count
    default: nil
    }
  }
}

/// A range that can be described in words.
struct Bounds<Value: Comparable & Sendable>: Sendable {
  private let lower: Value?
  private let upper: Value?
  private let includesUpper: Bool

  /// The bounds of one of the standard library's five ranges.
  init(_ range: some RangeExpression<Value>) {
    switch range {
    case let range as ClosedRange<Value>:
      (lower, upper, includesUpper) = (range.lowerBound, range.upperBound, true)
    case let range as Range<Value>:
      precondition(!range.isEmpty, "an empty range admits no value")
      (lower, upper, includesUpper) = (range.lowerBound, range.upperBound, false)
    case let range as PartialRangeFrom<Value>:
      (lower, upper, includesUpper) = (range.lowerBound, nil, true)
    case let range as PartialRangeThrough<Value>:
      (lower, upper, includesUpper) = (nil, range.upperBound, true)
    case let range as PartialRangeUpTo<Value>:
      (lower, upper, includesUpper) = (nil, range.upperBound, false)
    default:
      preconditionFailure("\(type(of: range)) is not a range of the standard library")
    }
  }

  func contains(_ value: Value) -> Bool {
    if let lower, value < lower { return false }
    if let upper { return includesUpper ? value <= upper : value < upper }
    return true
  }
}

extension Bounds where Value == Int {
  /// A value within the bounds.
  var member: Int { lower ?? upper.map { includesUpper ? $0 : $0 - 1 } ?? 0 }

  /// Both ends in words, with the limits of 64 bits for open ends: "from 1 to 9223372036854775807".
  var whole: String {
    "from \(lower ?? .min) to \(upper.map { includesUpper ? $0 : $0 - 1 } ?? .max)"
  }

  /// "at least 1", "from 0 to 7", or nil without bounds.
  var sentence: String? {
    let low = lower == .min ? nil : lower
    let high = upper.flatMap { $0 == .max ? nil : includesUpper ? $0 : $0 - 1 }
    return switch (low, high) {
    case (let low?, let high?): "from \(low) to \(high)"
    case (let low?, nil): "at least \(low)"
    case (nil, let high?): "at most \(high)"
    case (nil, nil): nil
    }
  }
}

extension Bounds where Value == Double {
  /// A value within the bounds.
  var member: Double {
    if let lower, lower.isFinite { return lower }
    return upper.map { includesUpper ? $0 : $0.nextDown } ?? 0
  }

  /// "above 0", "from 0 to below 1", or nil without bounds.
  var sentence: String? {
    // Swift has no range that excludes its lower bound; one that begins at the smallest positive
    // number stands for "above 0".
    let low: String? = lower.flatMap {
      $0 == -.infinity ? nil : $0 == .leastNonzeroMagnitude ? "above 0" : $0.yaml
    }
    let high = upper.flatMap { $0 == .infinity ? nil : $0.yaml }
    let below = includesUpper ? "" : "below "
    return switch (low, high) {
    case ("above 0", let high?): "above 0 and \(includesUpper ? "at most" : "below") \(high)"
    case ("above 0", nil): "above 0"
    case (let low?, let high?): "from \(low) to \(below)\(high)"
    case (let low?, nil): "at least \(low)"
    case (nil, let high?): includesUpper ? "at most \(high)" : "below \(high)"
    case (nil, nil): nil
    }
  }
}
