import Tensors

/// The sizes of a Llama.
public struct LlamaConfiguration: ModelConfiguration {
  /// Number of token ids.
  public var vocabulary: Int
  /// Longest sequence.
  public var context: Int
  /// Number of blocks.
  public var layers: Int
  /// Query heads per block.
  public var heads: Int
  /// Key and value heads per block; divides `heads`.
  public var keyHeads: Int
  /// Size of the residual stream.
  public var width: Int
  /// Size of the feed-forward's hidden layer.
  public var hidden: Int
  /// Share dropped from attention probabilities, the one place where the family has dropout.
  public var dropout: Float
  /// Whether the head is the token embedding.
  public var tied: Bool
  /// Base of the rotary positions' frequencies.
  public var ropeBase: Double = 10_000
  /// Added to mean squares.
  public var epsilon: Float = 1e-5
  /// Standard deviation of the first weights.
  public var initialDeviation: Float = 0.02
  /// The id that ends a document, for `config.json`.
  public var endOfText: Int

  /// - Parameters:
  ///   - vocabulary: Number of token ids.
  ///   - context: Longest sequence.
  ///   - layers: Number of blocks.
  ///   - heads: Query heads per block.
  ///   - keyHeads: Key and value heads per block; `heads` when nil.
  ///   - width: Size of the residual stream.
  ///   - hidden: Size of the feed-forward's hidden layer; 8/3 × width rounded up to a multiple of
  ///     16 when nil.
  ///   - dropout: Share dropped from attention probabilities.
  ///   - tied: Whether the head is the token embedding.
  ///   - endOfText: The id that ends a document.
  public init(
    vocabulary: Int, context: Int, layers: Int, heads: Int, keyHeads: Int? = nil, width: Int,
    hidden: Int? = nil, dropout: Float = 0, tied: Bool = false, endOfText: Int
  ) throws(ModelError) {
    let keyHeads = keyHeads ?? heads
    guard width % heads == 0, (width / heads) % 2 == 0 else {
      throw .inconsistent(
        "model.width \(width) does not divide into model.heads \(heads) of an even size, as rotary "
          + "positions need: choose a multiple of \(2 * heads).")
    }
    guard heads % keyHeads == 0 else {
      throw .inconsistent(
        "model.heads \(heads) is not a multiple of model.kvHeads \(keyHeads): every key head "
          + "serves the same number of query heads.")
    }
    self.vocabulary = vocabulary
    self.context = context
    self.layers = layers
    self.heads = heads
    self.keyHeads = keyHeads
    self.width = width
    self.hidden = hidden ?? (8 * width / 3 + 15) / 16 * 16
    self.dropout = dropout
    self.tied = tied
    self.endOfText = endOfText
  }

  init(_ fields: ConfigurationFields) throws(ModelError) {
    try fields.require("hidden_act", oneOf: ["silu"], default: "silu")
    try fields.require("attention_bias", false)
    try fields.require("mlp_bias", false)
    let vocabulary = try fields.size("vocab_size", atMost: ModelLimits.vocabulary)
    let heads = try fields.size("num_attention_heads", atMost: ModelLimits.width)
    let width = try fields.size("hidden_size", atMost: ModelLimits.width)
    try self.init(
      vocabulary: vocabulary,
      context: fields.size("max_position_embeddings", atMost: ModelLimits.context, default: 2048),
      layers: fields.size("num_hidden_layers", atMost: ModelLimits.layers), heads: heads,
      keyHeads: fields.size("num_key_value_heads", atMost: ModelLimits.width, default: heads),
      width: width, hidden: fields.size("intermediate_size", atMost: ModelLimits.hidden),
      dropout: fields.share("attention_dropout", default: 0),
      tied: fields.flag("tie_word_embeddings", default: false),
      endOfText: fields.id("eos_token_id", below: vocabulary, default: min(2, vocabulary - 1)))
    let dim = width / heads
    guard try fields.size("head_dim", atMost: ModelLimits.width, default: dim) == dim else {
      throw .unsupported(
        path: fields.path, key: "head_dim", value: (fields.values["head_dim"] ?? .null).text,
        supported: "hidden_size ÷ num_attention_heads")
    }
    ropeBase = try fields.positive("rope_theta", default: 10_000)
    // Newer files keep the rotary settings in one map.
    for key in ["rope_scaling", "rope_parameters"] {
      guard case .map(let rope) = fields.values[key] ?? .null else { continue }
      let inner = ConfigurationFields(values: rope, path: fields.path)
      let kind = try inner.text("rope_type", default: inner.text("type", default: "default"))
      guard kind == "default" else {
        throw .unsupported(
          path: fields.path, key: "\(key).rope_type", value: kind, supported: "default")
      }
      ropeBase = try inner.positive("rope_theta", default: ropeBase)
    }
    epsilon = Float(try fields.positive("rms_norm_eps", default: 1e-6))
    initialDeviation = Float(try fields.positive("initializer_range", default: 0.02))
  }

  /// Key heads × head size.
  public var keyWidth: Int { width / heads * keyHeads }

  /// The network below its head.
  public func trunk(_ parameters: Parameters) -> any Trunk { Llama(self, parameters) }

  /// Hugging Face's keys.
  public var json: [String: ConfigurationValue] {
    [
      "architectures": .list([.text("LlamaForCausalLM")]), "model_type": .text("llama"),
      "hidden_act": .text("silu"), "vocab_size": .integer(vocabulary),
      "max_position_embeddings": .integer(context), "num_hidden_layers": .integer(layers),
      "num_attention_heads": .integer(heads), "num_key_value_heads": .integer(keyHeads),
      "head_dim": .integer(width / heads), "hidden_size": .integer(width),
      "intermediate_size": .integer(hidden),
      "attention_dropout": .number(Double("\(dropout)") ?? 0),
      "rms_norm_eps": .number(Double("\(epsilon)") ?? 1e-5),
      // transformers 4 reads `rope_theta`, 5 `rope_parameters`.
      "rope_theta": .number(ropeBase),
      "rope_parameters": .map(["rope_type": .text("default"), "rope_theta": .number(ropeBase)]),
      "initializer_range": .number(Double("\(initialDeviation)") ?? 0.02),
      "tie_word_embeddings": .flag(tied),
      "attention_bias": .flag(false), "mlp_bias": .flag(false), "use_cache": .flag(true),
      // transformers 4 reads `torch_dtype`, 5 `dtype`.
      "dtype": .text("float32"), "torch_dtype": .text("float32"),
      "bos_token_id": .integer(endOfText), "eos_token_id": .integer(endOfText),
    ]
  }
}
