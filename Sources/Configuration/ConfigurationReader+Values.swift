/// The typed reads. Every one exists twice: with a default, and without one for a required key.
extension ConfigurationReader {
  /// An integer; decimal digits, or a number with an integral value such as `1e3`.
  public mutating func integer(
    _ path: String, default value: Int, in range: some RangeExpression<Int> = Int.min...,
    unit: String? = nil, help: String
  ) throws(ConfigurationError) -> Int {
    let domain = Domain.integer(Bounds(range), unit: unit)
    return try read(path, domain, help, default: value, Scalar.integer) ?? value
  }

  /// A required integer.
  public mutating func integer(
    _ path: String, in range: some RangeExpression<Int> = Int.min..., unit: String? = nil,
    help: String
  ) throws(ConfigurationError) -> Int {
    let bounds = Bounds(range)
    return try require(
      path, Domain.integer(bounds, unit: unit), help, standIn: bounds.member, Scalar.integer)
  }

  /// An integer, or nil when the key is absent.
  public mutating func optionalInteger(
    _ path: String, in range: some RangeExpression<Int> = Int.min..., unit: String? = nil,
    help: String
  ) throws(ConfigurationError) -> Int? {
    try read(path, Domain.integer(Bounds(range), unit: unit), help, default: nil, Scalar.integer)
  }

  /// A finite number.
  public mutating func number(
    _ path: String, default value: Double,
    in range: some RangeExpression<Double> = (-Double.infinity)..., unit: String? = nil,
    help: String
  ) throws(ConfigurationError) -> Double {
    let domain = Domain.number(Bounds(range), unit: unit)
    return try read(path, domain, help, default: value, Scalar.number) ?? value
  }

  /// A required finite number.
  public mutating func number(
    _ path: String, in range: some RangeExpression<Double> = (-Double.infinity)...,
    unit: String? = nil, help: String
  ) throws(ConfigurationError) -> Double {
    let bounds = Bounds(range)
    return try require(
      path, Domain.number(bounds, unit: unit), help, standIn: bounds.member, Scalar.number)
  }

  /// A finite number, or nil when the key is absent.
  public mutating func optionalNumber(
    _ path: String, in range: some RangeExpression<Double> = (-Double.infinity)...,
    unit: String? = nil, help: String
  ) throws(ConfigurationError) -> Double? {
    try read(path, Domain.number(Bounds(range), unit: unit), help, default: nil, Scalar.number)
  }

  /// `true` or `false`.
  public mutating func boolean(
    _ path: String, default value: Bool, help: String
  ) throws(ConfigurationError) -> Bool {
    try read(path, .boolean, help, default: value, Scalar.boolean) ?? value
  }

  /// A required `true` or `false`.
  public mutating func boolean(
    _ path: String, help: String
  ) throws(ConfigurationError) -> Bool {
    try require(path, .boolean, help, standIn: false, Scalar.boolean)
  }

  /// A text: any scalar, as it is written.
  public mutating func string(
    _ path: String, default value: String, help: String
  ) throws(ConfigurationError) -> String {
    try read(path, .text, help, default: value, Scalar.text) ?? value
  }

  /// A required text.
  public mutating func string(
    _ path: String, help: String
  ) throws(ConfigurationError) -> String {
    try require(path, .text, help, standIn: "", Scalar.text)
  }

  /// A text, or nil when the key is absent.
  public mutating func optionalString(
    _ path: String, help: String
  ) throws(ConfigurationError) -> String? {
    try read(path, .text, help, default: nil, Scalar.text)
  }

  /// One of the names in `names`.
  public mutating func choice(
    _ path: String, of names: [String], default value: String, help: String
  ) throws(ConfigurationError) -> String {
    precondition(names.contains(value), "default \(value) of \(path) is none of \(names)")
    return try read(path, .choice(names), help, default: value, Scalar.choice(names)) ?? value
  }

  /// A required one of the names in `names`.
  public mutating func choice(
    _ path: String, of names: [String], help: String
  ) throws(ConfigurationError) -> String {
    precondition(!names.isEmpty, "nothing to choose from at \(path)")
    return try require(path, .choice(names), help, standIn: names[0], Scalar.choice(names))
  }

  /// One of the cases of `Choice`, under their raw values.
  public mutating func choice<Choice>(
    _ path: String, of type: Choice.Type = Choice.self, default value: Choice, help: String
  ) throws(ConfigurationError) -> Choice
  where Choice: CaseIterable & RawRepresentable, Choice.RawValue == String {
    let names = Choice.allCases.map(\.rawValue)
    let name = try choice(path, of: names, default: value.rawValue, help: help)
    return Choice(rawValue: name) ?? value
  }
}
