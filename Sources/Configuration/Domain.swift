/// The set of values that a key admits.
indirect enum Domain: Sendable {
  case integer(Bounds<Int>, unit: String?)
  case number(Bounds<Double>, unit: String?)
  case boolean
  case text
  case choice([String])
  case section
  /// Texts by names that are not known in advance.
  case textMap
  /// Lists, of exactly `count` items if given.
  case list(of: Domain, count: Int?)

  static let texts = Domain.list(of: .text, count: nil)
  static let sections = Domain.list(of: .section, count: nil)

  /// The domain of the items of a list; other domains themselves.
  private var item: Domain {
    if case .list(let item, _) = self { item } else { self }
  }

  /// The number of items of a list; nil for any number, and for other domains.
  var count: Int? {
    if case .list(_, let count) = self { count } else { nil }
  }

  /// True when `value`, of the right type, or an item of it, is within the bounds.
  func admits(_ value: ResolvedValue) -> Bool {
    switch (item, value) {
    case (_, .list(let values)):
      (count ?? values.count) == values.count && values.allSatisfy(item.admits)
    case (.integer(let bounds, _), .integer(let value)): bounds.contains(value)
    case (.number(let bounds, _), .number(let value)): value.isFinite && bounds.contains(value)
    case (.choice(let names), .text(let name)): names.contains(name)
    default: true
    }
  }

  /// True when `text` is a number of the right kind that the type cannot represent.
  func overflows(_ text: String) -> Bool {
    switch item {
    case .integer:
      Scalar.isDecimalInteger(text)
        || (Scalar.isNumber(text) && (Double(text) ?? .infinity).magnitude > 0x1p53)
    case .number:
      Scalar.isNumber(text)
    default:
      false
    }
  }

  /// The range that the type can represent, for errors.
  var representable: String {
    if case .integer(let bounds, _) = item {
      "\(bounds.whole), in digits above 2^53"
    } else {
      "a number that 64 bits can hold"
    }
  }

  /// True when values are texts, free or of a list.
  var isText: Bool {
    switch item {
    case .text, .choice: true
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
    case .section: "section"
    case .textMap: "map of texts"
    case .list(let item, let count): "list of \(count.map { "\($0) " } ?? "")\(item.type)s"
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
    case .section: "a section with keys"
    case .textMap: "a map of names to texts, such as {name: text}"
    case .list(.text, _): "a text or a \(type)"
    case .list(.section, _): "a \(type) with keys"
    case .list: "a \(type)"
    }
  }

  /// The admitted values in words; nil when the type says it all.
  var range: String? {
    switch item {
    case .integer(let bounds, _): bounds.sentence
    case .number(let bounds, _): bounds.sentence
    case .choice: expectation
    default: nil
    }
  }

  /// The unit of the value, for the schema.
  var unit: String? {
    switch item {
    case .integer(_, let unit), .number(_, let unit): unit
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
