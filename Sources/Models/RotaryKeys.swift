import Glibc
import Layers

// The rotary settings in `config.json`: transformers 4 has the base in `rope_theta` and a map
// `rope_scaling`, transformers 5 one map `rope_parameters`.

/// The base and the scaling of rotary frequencies.
struct RotarySettings: Sendable, Equatable {
  /// Base of the frequencies (`rope_theta`).
  var base: Double
  /// Scaling of the frequencies for long contexts.
  var scaling = RotaryScaling.none

  /// Names of the keys in a map of rotary settings.
  private enum Key {
    static let kind = "rope_type"
    static let olderKind = "type"
    static let factor = "factor"
    static let low = "low_freq_factor"
    static let high = "high_freq_factor"
    static let fast = "beta_fast"
    static let slow = "beta_slow"
    static let original = "original_max_position_embeddings"
    static let magnitude = "attention_factor"
    static let truncates = "truncate"
    /// Refused unless they say nothing.
    static let unsupported = ["mscale", "mscale_all_dim"]
    static let all =
      [
        baseKey, kind, olderKind, factor, low, high, fast, slow, original, magnitude, truncates,
      ] + unsupported
  }

  /// The key of the base, in a map and in files of transformers 4 at the top level.
  static let baseKey = "rope_theta"
  /// The keys of the maps of transformers 4 and 5.
  static let (olderMapKey, mapKey) = ("rope_scaling", "rope_parameters")

  /// Reads the map `key`, if it is there; keys that it lacks leave these settings as they are.
  ///
  /// - Parameter context: The length of the longest sequence, in tokens.
  mutating func read(_ key: String, of fields: ConfigurationFields, context: Int)
    throws(ModelError)
  {
    guard let inner = try fields.map(key, of: Key.all) else { return }
    let kind = try inner.text(Key.kind, default: inner.text(Key.olderKind, default: "default"))
    base = try inner.positive(RotarySettings.baseKey, default: base)
    let original = try inner.size(Key.original, atMost: ModelLimits.context, default: context)
    switch kind {
    // Within the file's context, dynamic scaling equals the default.
    case "default", "dynamic": break
    case "linear":
      scaling = .linear(factor: try inner.positive(Key.factor, default: 1))
    case "llama3":
      scaling = .llama3(
        factor: try inner.positive(Key.factor, default: 8),
        low: try inner.positive(Key.low, default: 1),
        high: try inner.positive(Key.high, default: 4), original: original)
    case "yarn":
      let factor = try inner.positive(Key.factor, default: Double(context) / Double(original))
      let magnitude = factor <= 1 ? 1 : 0.1 * log(factor) + 1
      for key in Key.unsupported { try inner.requireNothing(key) }
      scaling = .yarn(
        factor: factor, fast: try inner.positive(Key.fast, default: 32),
        slow: try inner.positive(Key.slow, default: 1), original: original,
        magnitude: try inner.positive(Key.magnitude, default: magnitude),
        truncates: try inner.flag(Key.truncates, default: true))
    default:
      throw .unsupported(
        path: fields.path, key: "\(key).\(Key.kind)", value: kind,
        supported: "default, dynamic, linear, llama3 and yarn")
    }
  }

  /// The map of transformers 5.
  var json: [String: ConfigurationValue] {
    scalingJSON.merging([Self.baseKey: .number(base)]) { $1 }
  }

  /// The map of transformers 4.
  var scalingJSON: [String: ConfigurationValue] {
    switch scaling {
    case .none: [Key.kind: .text("default")]
    case .linear(let factor): [Key.kind: .text("linear"), Key.factor: .number(factor)]
    case .llama3(let factor, let low, let high, let original):
      [
        Key.kind: .text("llama3"), Key.factor: .number(factor), Key.low: .number(low),
        Key.high: .number(high), Key.original: .integer(original),
      ]
    case .yarn(let factor, let fast, let slow, let original, let magnitude, let truncates):
      [
        Key.kind: .text("yarn"), Key.factor: .number(factor), Key.fast: .number(fast),
        Key.slow: .number(slow), Key.original: .integer(original),
        Key.magnitude: .number(magnitude), Key.truncates: .flag(truncates),
      ]
    }
  }
}
