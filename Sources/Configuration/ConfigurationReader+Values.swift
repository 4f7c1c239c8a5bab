/// Typed reads: with a default, or without one for a required key.
extension ConfigurationReader {
  /// Reads an integer: decimal digits, or a number with an integral value such as `1e3`.
  package mutating func integer(
    _ path: String, default value: Int, in range: some RangeExpression<Int> = Int.min...,
    unit: String? = nil, decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> Int {
    let domain = Domain.integer(Bounds(range), unit: unit)
    return try read(path, domain, help, decidesBits, default: value) ?? value
  }

  /// Reads an integer, or nil if the key is absent.
  package mutating func optionalInteger(
    _ path: String, in range: some RangeExpression<Int> = Int.min..., unit: String? = nil,
    decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> Int? {
    try read(path, .integer(Bounds(range), unit: unit), help, decidesBits)
  }

  /// Reads a finite number.
  package mutating func number(
    _ path: String, default value: Double,
    in range: some RangeExpression<Double> = (-Double.infinity)..., unit: String? = nil,
    decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> Double {
    let domain = Domain.number(Bounds(range), unit: unit)
    return try read(path, domain, help, decidesBits, default: value) ?? value
  }

  /// Reads a finite number, or nil if the key is absent.
  package mutating func optionalNumber(
    _ path: String, in range: some RangeExpression<Double> = (-Double.infinity)...,
    unit: String? = nil, decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> Double? {
    try read(path, .number(Bounds(range), unit: unit), help, decidesBits)
  }

  /// Reads `true` or `false`.
  package mutating func boolean(
    _ path: String, default value: Bool, decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> Bool {
    try read(path, .boolean, help, decidesBits, default: value) ?? value
  }

  /// Reads a text: any scalar, as written.
  package mutating func string(
    _ path: String, default value: String, decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> String {
    try read(path, .text, help, decidesBits, default: value) ?? value
  }

  /// Reads a required text.
  package mutating func string(
    _ path: String, decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> String {
    try require(path, .text, help, decidesBits, placeholder: "")
  }

  /// Reads a text, or nil if the key is absent.
  package mutating func optionalString(
    _ path: String, decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> String? {
    try read(path, .text, help, decidesBits)
  }

  /// Reads one of `names`.
  package mutating func choice(
    _ path: String, of names: [String], default value: String, decidesBits: Bool = true,
    help: String
  ) throws(ConfigurationError) -> String {
    try read(path, .choice(names), help, decidesBits, default: value) ?? value
  }

  /// Reads one of the cases of `Choice` by its raw value.
  package mutating func choice<Choice>(
    _ path: String, of type: Choice.Type = Choice.self, default value: Choice,
    decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> Choice
  where Choice: CaseIterable & RawRepresentable, Choice.RawValue == String {
    let names = Choice.allCases.map(\.rawValue)
    let name = try choice(
      path, of: names, default: value.rawValue, decidesBits: decidesBits, help: help)
    return Choice(rawValue: name) ?? value
  }
}
