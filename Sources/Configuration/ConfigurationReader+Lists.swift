extension ConfigurationReader {
  /// Reads a list of texts; a single scalar is a list of one.
  package mutating func strings(
    _ path: String, default value: [String], decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> [String] {
    try readList(path, .texts, help, decidesBits, default: value, Scalar.text) ?? value
  }

  /// Reads a required list of texts; a single scalar is a list of one.
  package mutating func strings(
    _ path: String, decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> [String] {
    try requireList(path, .texts, help, decidesBits, Scalar.text)
  }

  /// Reads a list of finite numbers, exactly `count` if given; a single scalar is a list of one.
  package mutating func numbers(
    _ path: String, count: Int? = nil, default value: [Double],
    in range: some RangeExpression<Double> = (-Double.infinity)..., unit: String? = nil,
    decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> [Double] {
    precondition(
      count == nil || count == value.count,
      "default of \(path) has \(value.count) numbers, not \(count ?? 0)")
    let domain = Domain.numbers(Bounds(range), count: count, unit: unit)
    return try readList(path, domain, help, decidesBits, default: value, Scalar.number) ?? value
  }

  /// Reads a list of integers, exactly `count` if given; a single scalar is a list of one.
  package mutating func integers(
    _ path: String, count: Int? = nil, default value: [Int],
    in range: some RangeExpression<Int> = Int.min..., unit: String? = nil, decidesBits: Bool = true,
    help: String
  ) throws(ConfigurationError) -> [Int] {
    precondition(
      count == nil || count == value.count,
      "default of \(path) has \(value.count) integers, not \(count ?? 0)")
    let domain = Domain.integers(Bounds(range), count: count, unit: unit)
    return try readList(path, domain, help, decidesBits, default: value, Scalar.integer) ?? value
  }
}
