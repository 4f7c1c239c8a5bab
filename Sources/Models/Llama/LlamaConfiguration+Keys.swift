// The keys in the `config.json` of Llama and its relatives.

extension LlamaKind {
  /// The values of missing keys in which the classes of transformers differ.
  fileprivate var defaults: (vocabulary: Int, context: Int, hidden: Int) {
    switch self {
    case .llama: (32_000, 2048, 11_008)
    case .mistral: (32_000, 131_072, 14_336)
    case .qwen2, .qwen3: (151_936, 32_768, 22_016)
    }
  }
}

extension LlamaConfiguration {
  package static var keys: [ConfigurationKey<Self>] {
    [
      .name("model_type", \.kind),
      .only("hidden_act", ["silu", "swish"]),
      .size("vocab_size", \.vocabulary, atMost: ModelLimits.vocabulary) {
        $0.kind.defaults.vocabulary
      },
      .size("num_attention_heads", \.heads, atMost: ModelLimits.width, default: 32),
      .size("hidden_size", \.width, atMost: ModelLimits.width, default: 4096),
      .size("head_dim", \.headSize, atMost: ModelLimits.width) {
        $0.kind == .qwen3 ? 128 : max(1, $0.width / $0.heads)
      },
      .size("max_position_embeddings", \.context, atMost: ModelLimits.context) {
        $0.kind.defaults.context
      },
      .size("num_hidden_layers", \.layers, atMost: ModelLimits.layers, default: 32),
      .size("num_key_value_heads", \.keyHeads, atMost: ModelLimits.width) {
        switch $0.kind {
        case .llama: $0.heads
        case .mistral: 8
        case .qwen2, .qwen3: 32
        }
      } null: {
        $0.heads
      },
      .size("intermediate_size", \.hidden, atMost: ModelLimits.hidden) { $0.kind.defaults.hidden },
      .rate("attention_dropout", \.dropout, default: 0),
      .flag("tie_word_embeddings", \.tied, default: false),
      .keptID("bos_token_id", \.beginningOfText) { $0.kind.isQwen ? nil : 1 },
      .ends(\.ends) { $0.kind.isQwen ? nil : min(2, $0.vocabulary - 1) },
      attentionBias.when { $0.kind == .llama || $0.kind == .qwen3 },
      biasOfQwen2.when { $0.kind == .qwen2 },
      .flag("mlp_bias", \.hasFeedForwardBias, default: false).when { $0.kind == .llama },
      .rotary(\.rotary),
      mistralWindow.when { $0.kind == .mistral },
      qwenWindow.when(\.kind.isQwen),
      layerTypes.when { !$0.kind.isQwen },
      .positive("rms_norm_eps", \.epsilon, default: 1e-6),
      .positive("initializer_range", \.initialStd, default: 0.02),
      // Forms of rotary positions of other programs, which published files have switched off.
      .unsupported("rope_interleaved", "use_mrope"),
      .irrelevant(["is_llama_config"], because: "model_type says it"),
    ] + ConfigurationKey.common
  }

  private static var attentionBias: ConfigurationKey<Self> {
    let name = "attention_bias"
    return ConfigurationKey([name]) { fields, model throws(ModelError) in
      model.hasOutputBias = try fields.flag(name, default: false)
      model.hasQueryBias = model.hasOutputBias
    } write: { model, json in
      json[name] = .flag(model.hasOutputBias)
    }
  }

  /// Qwen 2 has biases on queries, keys and values, and none on outputs; no key says so.
  private static var biasOfQwen2: ConfigurationKey<Self> {
    ConfigurationKey([]) { _, model throws(ModelError) in
      model.hasQueryBias = true
    } write: { _, _ in
    }
  }

  /// Mistral has a window in all blocks, and none when the file says `null`.
  private static var mistralWindow: ConfigurationKey<Self> {
    let size = "sliding_window"
    return ConfigurationKey([size]) { fields, model throws(ModelError) in
      let isNull = fields.states(size) && !fields.has(size)
      model.window =
        try isNull ? nil : fields.size(size, atMost: ModelLimits.context, default: 4096)
    } write: { model, json in
      json[size] = model.window.map { .integer($0) } ?? .null
    }
  }

  /// Qwen has a window behind a flag, in the blocks that `layer_types` lists, or else from one on.
  private static var qwenWindow: ConfigurationKey<Self> {
    let (size, isUsed, first) = ("sliding_window", "use_sliding_window", "max_window_layers")
    return ConfigurationKey([size, isUsed, first, LayerTypes.key]) {
      fields, model throws(ModelError) in
      if try fields.flag(isUsed, default: false), fields.has(size) || !fields.states(size) {
        model.window = try fields.size(size, atMost: ModelLimits.context, default: 4096)
      }
      model.firstLocal = try fields.count(first, atMost: ModelLimits.layers, default: 28)
      let hasWindow = model.window != nil
      let regular = (0..<model.layers).map { hasWindow && $0 >= model.firstLocal }
      model.isLocal = try fields.layerTypes(count: model.layers) ?? regular
      guard hasWindow || !model.isLocal.contains(true) else {
        throw .badConfiguration(
          path: fields.path,
          reason: "\(LayerTypes.key) has \(LayerTypes.local), and \(isUsed) and \(size) give no "
            + "window")
      }
    } write: { model, json in
      json[size] = model.window.map { .integer($0) } ?? .null
      json[isUsed] = .flag(model.window != nil)
      json[first] = .integer(model.firstLocal)
      json[LayerTypes.key] = LayerTypes.list(
        (0..<model.layers).map { model.window(ofBlock: $0) != nil })
    }
  }

  /// Llama and Mistral ignore the list, so one that says something else than they do is refused.
  private static var layerTypes: ConfigurationKey<Self> {
    ConfigurationKey([LayerTypes.key], .refused) { fields, model throws(ModelError) in
      let isLocal = try fields.layerTypes(count: model.layers) ?? []
      guard isLocal.allSatisfy({ $0 == (model.window != nil) }) else {
        throw .unsupported(
          path: fields.path, key: LayerTypes.key, value: LayerTypes.list(isLocal).text,
          supported: model.window == nil ? LayerTypes.global : LayerTypes.local)
      }
    } write: { _, _ in
    }
  }
}
