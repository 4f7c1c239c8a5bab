// The keys in the `config.json` of Llama and its relatives.

extension LlamaConfiguration {
  package static var keys: [ConfigurationKey<Self>] {
    [
      .name("model_type", \.kind),
      .only("hidden_act", ["silu"]),
      .size("vocab_size", \.vocabulary, atMost: ModelLimits.vocabulary),
      .size("num_attention_heads", \.heads, atMost: ModelLimits.width),
      .size("hidden_size", \.width, atMost: ModelLimits.width),
      .size("head_dim", \.headSize, atMost: ModelLimits.width) { max(1, $0.width / $0.heads) },
      .size("max_position_embeddings", \.context, atMost: ModelLimits.context, default: 2048),
      .size("num_hidden_layers", \.layers, atMost: ModelLimits.layers),
      .size("num_key_value_heads", \.keyHeads, atMost: ModelLimits.width) { $0.heads },
      .size("intermediate_size", \.hidden, atMost: ModelLimits.hidden),
      .rate("attention_dropout", \.dropout, default: 0),
      .flag("tie_word_embeddings", \.tied, default: false),
      .id("eos_token_id", \.endOfText) { min(2, $0.vocabulary - 1) },
      .written("bos_token_id") { .integer($0.endOfText) },
      attentionBias,
      .flag("mlp_bias", \.hasFeedForwardBias, default: false),
      .rotary(\.rotary),
      window,
      .positive("rms_norm_eps", \.epsilon, default: 1e-6),
      .positive("initializer_range", \.initialStd, default: 0.02),
    ] + ConfigurationKey.common
  }

  /// Qwen 2 has biases on queries, keys and values whatever the file says, and never on outputs.
  private static var attentionBias: ConfigurationKey<Self> {
    let name = "attention_bias"
    return ConfigurationKey { fields, model throws(ModelError) in
      let hasBias = try fields.flag(name, default: false)
      model.hasQueryBias = model.kind == .qwen2 || hasBias
      model.hasOutputBias = model.kind != .qwen2 && hasBias
    } write: { model, json in
      json[name] = .flag(model.hasOutputBias)
    }
  }

  /// Mistral has a window in all blocks; Qwen has it behind a flag, and from a block on; Llama has
  /// none.
  private static var window: ConfigurationKey<Self> {
    let (size, isUsed, first) = ("sliding_window", "use_sliding_window", "max_window_layers")
    return ConfigurationKey { fields, model throws(ModelError) in
      guard fields.has(size) else { return }
      if model.kind != .mistral {
        guard try fields.flag(isUsed, default: false) else { return }
        model.firstWindowed = try fields.count(first, atMost: ModelLimits.layers, default: 28)
      }
      model.window = try fields.size(size, atMost: ModelLimits.context)
    } write: { model, json in
      json[size] = model.window.map { .integer($0) } ?? .null
      guard model.kind != .mistral else { return }
      json[isUsed] = .flag(model.window != nil)
      json[first] = .integer(model.window == nil ? model.layers : model.firstWindowed)
    }.when { $0.kind != .llama }
  }
}
