/// A key of the configuration, as the code that reads it declares it.
public struct KeyDescription: Sendable, Equatable, Codable {
  /// The key with its sections, joined by dots.
  public let path: String
  /// The name of its type: integer, number, boolean, text, choice, or a list of these.
  public let type: String
  /// Whether a configuration without it is refused.
  public let isRequired: Bool
  /// The default as YAML; nil when the key is required, or optional without a default.
  public let defaultValue: String?
  /// The unit of its value.
  public let unit: String?
  /// What values it admits, such as "at least 1" or "one of gpt2, llama".
  public let range: String?
  /// One sentence for the user.
  public let help: String

  init(path: String, domain: Domain, isRequired: Bool, defaultValue: String?, help: String) {
    self.path = path
    self.type = domain.type
    self.isRequired = isRequired
    self.defaultValue = defaultValue
    self.unit = domain.unit
    self.range = domain.range
    self.help = help
  }

  private enum CodingKeys: String, CodingKey {
    case path = "key"
    case type
    case isRequired = "required"
    case defaultValue = "default"
    case unit, range, help
  }
}
