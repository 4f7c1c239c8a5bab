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

  init(base: Double) {
    self.base = base
  }

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
    /// The fraction of a head that is rotated; refused unless it is 1.
    static let fraction = "partial_rotary_factor"
    static let all =
      [
        baseKey, kind, olderKind, factor, low, high, fast, slow, original, magnitude, truncates,
        fraction,
      ] + unsupported
  }

  /// The keys of `config.json` that the settings are read from.
  static let keys = [baseKey, olderMapKey, mapKey, Key.original, Key.fraction]

  /// The key of the base, in a map and in files of transformers 4 at the top level.
  static let baseKey = "rope_theta"
  /// The keys of the maps of transformers 4 and 5.
  static let (olderMapKey, mapKey) = ("rope_scaling", "rope_parameters")

  /// Reads the base under `key` and the settings in `maps`; where several of them state the base or
  /// the scaling, they must agree, because transformers 4 and 5 differ in which they prefer.
  ///
  /// - Parameters:
  ///   - fallback: The base when none is stated; the scaling is none then.
  ///   - context: The length of the longest sequence, in tokens.
  init(
    _ fields: ConfigurationFields, base key: String = baseKey, default fallback: Double,
    maps: [(key: String, in: ConfigurationFields)], context: Int
  ) throws(ModelError) {
    try fields.requireWholeRotation(Key.fraction)
    let outer = try fields.positive(key, default: fallback)
    var bases = fields.has(key) ? [(key: key, value: outer)] : []
    var scalings: [(key: String, value: RotaryScaling)] = []
    for (mapKey, place) in maps {
      guard let map = try place.map(mapKey, of: Key.all), !map.values.isEmpty else { continue }
      try map.requireWholeRotation(Key.fraction)
      // A map without a base has the outer one.
      if map.has(Self.baseKey) || fields.has(key) {
        bases.append((map.name(Self.baseKey), try map.positive(Self.baseKey, default: outer)))
      }
      // Files of some models state the original context outside of the map, which then counts.
      let original = try fields.size(
        Key.original, atMost: ModelLimits.context,
        default: map.size(Key.original, atMost: ModelLimits.context, default: context))
      scalings.append(
        (place.name(mapKey), try Self.scaling(map, context: context, original: original)))
    }
    base = try fields.agreed(bases) ?? outer
    scaling = try fields.agreed(scalings) ?? .none
  }

  /// Returns the scaling in a map of rotary settings.
  private static func scaling(
    _ map: ConfigurationFields, context: Int, original: Int
  ) throws(ModelError) -> RotaryScaling {
    let kind = try map.text(Key.kind, default: map.text(Key.olderKind, default: "default"))
    switch kind {
    case "default": return .none
    case "dynamic":
      // Within the file's context, dynamic scaling equals the default; its factor must be valid.
      _ = try map.positive(Key.factor)
      return .none
    case "linear": return .linear(factor: try map.positive(Key.factor))
    case "llama3":
      return .llama3(
        factor: try map.positive(Key.factor), low: try map.positive(Key.low),
        high: try map.positive(Key.high), original: original)
    case "yarn":
      // A factor of null is computed; the key itself is required, as in transformers.
      let computed = Double(context) / Double(original)
      let factor = try map.positive(Key.factor, default: map.states(Key.factor) ? computed : nil)
      let magnitude = factor <= 1 ? 1 : 0.1 * log(factor) + 1
      for key in Key.unsupported { try map.requireNothing(key) }
      return .yarn(
        factor: factor, fast: try map.positive(Key.fast, default: 32),
        slow: try map.positive(Key.slow, default: 1), original: original,
        magnitude: try map.positive(Key.magnitude, default: magnitude),
        truncates: try map.flag(Key.truncates, default: true))
    default:
      throw .unsupported(
        path: map.path, key: map.name(Key.kind), value: kind,
        supported: "default, dynamic, linear, llama3 and yarn")
    }
  }

  /// Adds the keys of both releases to `config.json`.
  func write(to json: inout [String: ConfigurationValue]) {
    json[Self.baseKey] = .number(base)
    json[Self.mapKey] = .map(self.json)
    if scaling != .none { json[Self.olderMapKey] = .map(scalingJSON) }
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

extension ConfigurationFields {
  /// Refuses rotary positions of a part of every head.
  fileprivate func requireWholeRotation(_ key: String) throws(ModelError) {
    if has(key), values[key] != .integer(1), values[key] != .number(1) { try requireNothing(key) }
  }
}

extension ConfigurationKey where Model: ModelConfiguration {
  /// The rotary settings in the keys of both releases.
  static func rotary(_ property: WritableKeyPath<Model, RotarySettings>) -> Self {
    Self(RotarySettings.keys) { fields, model throws(ModelError) in
      model[keyPath: property] = try RotarySettings(
        fields, default: 10_000,
        maps: [(RotarySettings.olderMapKey, fields), (RotarySettings.mapKey, fields)],
        context: model.context)
    } write: { model, json in
      model[keyPath: property].write(to: &json)
    }
  }
}
