/// The declaration of a key of the configuration.
package struct KeyDescription: Sendable, Equatable, Codable {
  /// The dotted path of the key, with its sections.
  package let path: String
  /// The name of the type: integer, number, boolean, text, choice, section, or a list of these.
  package let type: String
  /// True when a configuration without the key is refused.
  package let isRequired: Bool
  /// The default as YAML; nil if the key is required, or optional without a default.
  package let defaultValue: String?
  /// The unit of the value; "1" for a dimensionless number.
  package let unit: String?
  /// The admitted values, such as "at least 1" or "one of gpt2, llama".
  package let range: String?
  /// True when the value decides the bits of the trained weights; a resumed run reports a change.
  package let decidesBits: Bool
  /// The meaning of the key in one sentence.
  package let help: String

  init(
    path: String, domain: Domain, isRequired: Bool, defaultValue: String?, decidesBits: Bool,
    help: String
  ) {
    self.path = path
    self.type = domain.type
    self.isRequired = isRequired
    self.defaultValue = defaultValue
    self.unit = domain.unit
    self.range = domain.range
    self.decidesBits = decidesBits
    self.help = help
  }

  private enum CodingKeys: String, CodingKey {
    case path = "key"
    case type
    case isRequired = "required"
    case defaultValue = "default"
    case unit, range, decidesBits, help
  }
}
