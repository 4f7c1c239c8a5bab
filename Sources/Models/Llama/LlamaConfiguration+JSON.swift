import Glibc
import Layers

// Reading and writing the `config.json` of Llama and its relatives.

extension LlamaConfiguration {
  init(_ fields: ConfigurationFields, kind: LlamaKind) throws(ModelError) {
    try fields.require("hidden_act", oneOf: ["silu"], default: "silu")
    let vocabulary = try fields.size("vocab_size", atMost: ModelLimits.vocabulary)
    let heads = try fields.size("num_attention_heads", atMost: ModelLimits.width)
    let width = try fields.size("hidden_size", atMost: ModelLimits.width)
    let headSize = try fields.size(
      "head_dim", atMost: ModelLimits.width, default: max(1, width / heads))
    try self.init(
      vocabulary: vocabulary,
      context: fields.size("max_position_embeddings", atMost: ModelLimits.context, default: 2048),
      layers: fields.size("num_hidden_layers", atMost: ModelLimits.layers), heads: heads,
      keyHeads: fields.size("num_key_value_heads", atMost: ModelLimits.width, default: heads),
      headSize: headSize, width: width,
      hidden: fields.size("intermediate_size", atMost: ModelLimits.hidden),
      dropout: fields.rate("attention_dropout", default: 0),
      tied: fields.flag("tie_word_embeddings", default: false),
      endOfText: fields.id("eos_token_id", below: vocabulary, default: min(2, vocabulary - 1)))
    self.kind = kind
    let biases = try fields.flag("attention_bias", default: false)
    hasQueryBias = kind == .qwen2 || biases
    hasOutputBias = kind != .qwen2 && biases
    hasFeedForwardBias = try fields.flag("mlp_bias", default: false)
    try readRotary(fields)
    try readWindow(fields)
    epsilon = Float(try fields.positive("rms_norm_eps", default: 1e-6))
    initialStd = Float(try fields.positive("initializer_range", default: 0.02))
  }

  private mutating func readRotary(_ fields: ConfigurationFields) throws(ModelError) {
    ropeBase = try fields.positive("rope_theta", default: 10_000)
    // Newer files keep the rotary settings in one map.
    for key in ["rope_scaling", "rope_parameters"] {
      guard case .map(let rope) = fields.values[key] ?? .null else { continue }
      let inner = ConfigurationFields(values: rope, path: fields.path)
      let kind = try inner.text("rope_type", default: inner.text("type", default: "default"))
      ropeBase = try inner.positive("rope_theta", default: ropeBase)
      let original = try inner.size(
        "original_max_position_embeddings", atMost: ModelLimits.context, default: context)
      switch kind {
      // Within the file's context, dynamic scaling equals the default.
      case "default", "dynamic": break
      case "linear":
        ropeScaling = .linear(factor: try inner.positive("factor", default: 1))
      case "llama3":
        ropeScaling = .llama3(
          factor: try inner.positive("factor", default: 8),
          low: try inner.positive("low_freq_factor", default: 1),
          high: try inner.positive("high_freq_factor", default: 4), original: original)
      case "yarn":
        let factor = try inner.positive(
          "factor", default: Double(context) / Double(original))
        let magnitude = factor <= 1 ? 1 : 0.1 * log(factor) + 1
        for key in ["mscale", "mscale_all_dim"] { try inner.requireNothing(key) }
        ropeScaling = .yarn(
          factor: factor, fast: try inner.positive("beta_fast", default: 32),
          slow: try inner.positive("beta_slow", default: 1), original: original,
          magnitude: try inner.positive("attention_factor", default: magnitude),
          truncates: try inner.flag("truncate", default: true))
      default:
        throw .unsupported(
          path: fields.path, key: "\(key).rope_type", value: kind,
          supported: "default, dynamic, linear, llama3 and yarn")
      }
    }
  }

  private mutating func readWindow(_ fields: ConfigurationFields) throws(ModelError) {
    guard kind != .llama, (fields.values["sliding_window"] ?? .null) != .null else { return }
    if kind != .mistral {
      guard try fields.flag("use_sliding_window", default: false) else { return }
      firstWindowed = try fields.count("max_window_layers", atMost: ModelLimits.layers, default: 28)
    }
    window = try fields.size("sliding_window", atMost: ModelLimits.context)
  }

  /// Hugging Face's keys.
  package var json: [String: ConfigurationValue] {
    var json: [String: ConfigurationValue] = [
      "architectures": .list([.text(kind.architecture)]), "model_type": .text(kind.rawValue),
      "hidden_act": .text("silu"), "vocab_size": .integer(vocabulary),
      "max_position_embeddings": .integer(context), "num_hidden_layers": .integer(layers),
      "num_attention_heads": .integer(heads), "num_key_value_heads": .integer(keyHeads),
      "head_dim": .integer(headSize), "hidden_size": .integer(width),
      "intermediate_size": .integer(hidden), "attention_dropout": .exact(dropout),
      "rms_norm_eps": .exact(epsilon), "initializer_range": .exact(initialStd),
      // transformers 4 reads `rope_theta` and `rope_scaling`, 5 `rope_parameters`.
      "rope_theta": .number(ropeBase), "rope_parameters": .map(rotary),
      "tie_word_embeddings": .flag(tied), "attention_bias": .flag(hasOutputBias),
      "mlp_bias": .flag(hasFeedForwardBias), "use_cache": .flag(true),
      // transformers 4 reads `torch_dtype`, 5 `dtype`.
      "dtype": .text("float32"), "torch_dtype": .text("float32"),
      "bos_token_id": .integer(endOfText), "eos_token_id": .integer(endOfText),
    ]
    if kind == .qwen3 { json["attention_bias"] = .flag(hasQueryBias) }
    if ropeScaling != .none {
      json["rope_scaling"] = .map(rotary.filter { $0.key != "rope_theta" })
    }
    if kind != .llama { json["sliding_window"] = window.map { .integer($0) } ?? .null }
    if kind == .qwen2 || kind == .qwen3 {
      json["use_sliding_window"] = .flag(window != nil)
      json["max_window_layers"] = .integer(window == nil ? layers : firstWindowed)
    }
    return json
  }

  private var rotary: [String: ConfigurationValue] {
    var rope: [String: ConfigurationValue] = ["rope_theta": .number(ropeBase)]
    switch ropeScaling {
    case .none: rope["rope_type"] = .text("default")
    case .linear(let factor):
      rope["rope_type"] = .text("linear")
      rope["factor"] = .number(factor)
    case .llama3(let factor, let low, let high, let original):
      rope["rope_type"] = .text("llama3")
      rope["factor"] = .number(factor)
      rope["low_freq_factor"] = .number(low)
      rope["high_freq_factor"] = .number(high)
      rope["original_max_position_embeddings"] = .integer(original)
    case .yarn(let factor, let fast, let slow, let original, let magnitude, let truncates):
      rope["rope_type"] = .text("yarn")
      rope["factor"] = .number(factor)
      rope["beta_fast"] = .number(fast)
      rope["beta_slow"] = .number(slow)
      rope["original_max_position_embeddings"] = .integer(original)
      rope["attention_factor"] = .number(magnitude)
      rope["truncate"] = .flag(truncates)
    }
    return rope
  }
}

extension ConfigurationValue {
  /// The number with the fewest digits that rounds to `value` in fp32.
  static func exact(_ value: Float) -> ConfigurationValue { .number(Double("\(value)") ?? 0) }
}
