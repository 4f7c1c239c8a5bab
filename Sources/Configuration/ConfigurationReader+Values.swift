/// Typed reads: with a default, or without one for a required key.
extension ConfigurationReader {
  /// Reads an integer: decimal digits, or a number with an integral value such as `1e3`.
  package mutating func integer(
    _ path: String, default value: Int, in range: some RangeExpression<Int> = Int.min...,
    unit: String? = nil, decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> Int {
    let domain = Domain.integer(Bounds(range), unit: unit)
    return try read(path, domain, help, decidesBits, default: value, Scalar.integer) ?? value
  }

  /// Reads a required integer.
  package mutating func integer(
    _ path: String, in range: some RangeExpression<Int> = Int.min..., unit: String? = nil,
    decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> Int {
    let bounds = Bounds(range)
    return try require(
      path, Domain.integer(bounds, unit: unit), help, decidesBits, placeholder: bounds.member,
      Scalar.integer)
  }

  /// Reads an integer, or nil if the key is absent.
  package mutating func optionalInteger(
    _ path: String, in range: some RangeExpression<Int> = Int.min..., unit: String? = nil,
    decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> Int? {
    try read(
      path, Domain.integer(Bounds(range), unit: unit), help, decidesBits, default: nil,
      Scalar.integer)
  }

  /// Reads a finite number.
  package mutating func number(
    _ path: String, default value: Double,
    in range: some RangeExpression<Double> = (-Double.infinity)..., unit: String? = nil,
    decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> Double {
    let domain = Domain.number(Bounds(range), unit: unit)
    return try read(path, domain, help, decidesBits, default: value, Scalar.number) ?? value
  }

  /// Reads a required finite number.
  package mutating func number(
    _ path: String, in range: some RangeExpression<Double> = (-Double.infinity)...,
    unit: String? = nil, decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> Double {
    let bounds = Bounds(range)
    return try require(
      path, Domain.number(bounds, unit: unit), help, decidesBits, placeholder: bounds.member,
      Scalar.number)
  }

  /// Reads a finite number, or nil if the key is absent.
  package mutating func optionalNumber(
    _ path: String, in range: some RangeExpression<Double> = (-Double.infinity)...,
    unit: String? = nil, decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> Double? {
    try read(
      path, Domain.number(Bounds(range), unit: unit), help, decidesBits, default: nil, Scalar.number
    )
  }

  /// Reads `true` or `false`.
  package mutating func boolean(
    _ path: String, default value: Bool, decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> Bool {
    try read(path, .boolean, help, decidesBits, default: value, Scalar.boolean) ?? value
  }

  /// Reads a required `true` or `false`.
  package mutating func boolean(
    _ path: String, decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> Bool {
    try require(path, .boolean, help, decidesBits, placeholder: false, Scalar.boolean)
  }

  /// Reads a text: any scalar, as written.
  package mutating func string(
    _ path: String, default value: String, decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> String {
    try read(path, .text, help, decidesBits, default: value, Scalar.text) ?? value
  }

  /// Reads a required text.
  package mutating func string(
    _ path: String, decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> String {
    try require(path, .text, help, decidesBits, placeholder: "", Scalar.text)
  }

  /// Reads a text, or nil if the key is absent.
  package mutating func optionalString(
    _ path: String, decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> String? {
    try read(path, .text, help, decidesBits, default: nil, Scalar.text)
  }

  /// Reads one of `names`.
  package mutating func choice(
    _ path: String, of names: [String], default value: String, decidesBits: Bool = true,
    help: String
  ) throws(ConfigurationError) -> String {
    precondition(names.contains(value), "default \(value) of \(path) is none of \(names)")
    return try read(path, .choice(names), help, decidesBits, default: value, Scalar.choice(names))
      ?? value
  }

  /// Reads a required one of `names`.
  package mutating func choice(
    _ path: String, of names: [String], decidesBits: Bool = true, help: String
  ) throws(ConfigurationError) -> String {
    precondition(!names.isEmpty, "nothing to choose from at \(path)")
    return try require(
      path, .choice(names), help, decidesBits, placeholder: names[0], Scalar.choice(names))
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
