extension ConfigurationReader {
  /// Reads a list of texts; a single scalar is a list of one.
  package mutating func strings(
    _ path: String, default value: [String], decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> [String] {
    try read(path, .texts, help, decidesBits, default: value) ?? value
  }

  /// Reads a required list of texts; a single scalar is a list of one.
  package mutating func strings(
    _ path: String, decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> [String] {
    try require(path, .texts, help, decidesBits, placeholder: [])
  }

  /// Reads a map of names to texts; empty when absent.
  package mutating func textMap(
    _ path: String, decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> [String: String] {
    try read(path, .textMap, help, decidesBits, default: [:]) ?? [:]
  }

  /// Reads a list of finite numbers, exactly `count` if given; a single scalar is a list of one.
  package mutating func numbers(
    _ path: String, count: Int? = nil, default value: [Double],
    in range: some RangeExpression<Double> = (-Double.infinity)..., unit: String? = nil,
    decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> [Double] {
    let domain = Domain.list(of: .number(Bounds(range), unit: unit), count: count)
    return try read(path, domain, help, decidesBits, default: value) ?? value
  }

  /// Reads a list of integers, exactly `count` if given; a single scalar is a list of one.
  package mutating func integers(
    _ path: String, count: Int? = nil, default value: [Int],
    in range: some RangeExpression<Int> = Int.min..., unit: String? = nil, decidesBits: Bool = true,
    help: String
  ) throws(ConfigurationError) -> [Int] {
    let domain = Domain.list(of: .integer(Bounds(range), unit: unit), count: count)
    return try read(path, domain, help, decidesBits, default: value) ?? value
  }
}
