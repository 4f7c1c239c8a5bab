import Tensors

/// The configuration of a Gemma 1 or of the text model of a Gemma 3.
package struct GemmaConfiguration: GroupedQueryConfiguration {
  /// The generations, by their `model_type`.
  package enum Kind: String, Sendable, CaseIterable {
    case gemma
    /// Gemma 3: norms on heads and on the results of sublayers, local and global attention.
    case gemma3 = "gemma3_text"
  }

  package var kind = Kind.gemma
  /// Number of token ids.
  package var vocabulary = 0
  /// Longest sequence, in tokens.
  package var context = 0
  /// Number of blocks.
  package var layers = 0
  /// Query heads per block.
  package var heads = 0
  /// Key and value heads per block; divides `heads`.
  package var keyHeads = 0
  /// Size of a query, key or value head.
  package var headSize = 0
  /// Size of the residual stream.
  package var width = 0
  /// Size of the feed-forward's hidden layer.
  package var hidden = 0
  /// True when the projections of the attention have biases.
  package var hasAttentionBias = false
  /// Attention scores are divided by the square root of this; in Gemma 1 the size of a head.
  package var scoreDivisor = 0
  /// For every block, true when it attends only within the window; empty for Gemma 1.
  package var isLocal: [Bool] = []
  /// Number of positions that a query of a local block attends to, its own included.
  package var window = 0
  /// Rotary frequencies of blocks that attend to all earlier positions.
  var globalRotary = RotarySettings(base: 10_000)
  /// Rotary frequencies of local blocks; they are not scaled.
  var localRotary = RotarySettings(base: 10_000)
  /// Dropout rate of attention probabilities; the family has no other dropout.
  package var dropout: Float = 0
  /// True when the head is tied to the token embedding.
  package var tied = true
  /// Epsilon of the RMSNorms, added to mean squares.
  package var epsilon: Float = 1e-6
  /// Standard deviation of the initial weights.
  package var initialStd: Float = 0.02
  /// The padding id.
  package var padding: Int? = 0
  /// The id that begins a document, for `config.json`.
  package var beginningOfText: Int? = 0
  /// The id that ends a document, for `config.json`.
  package var ends = [0]

  package init() {}

  /// A new Gemma 3 has the window of the published 1B model, five local blocks before each global
  /// one, and ends with a global block, so that a model with few blocks has one too.
  package init(_ model: NewModel, _ ids: NewModelIds) throws(ModelError) {
    kind = model.family == .gemma3 ? .gemma3 : .gemma
    (vocabulary, context) = (ids.count, model.context)
    (layers, width) = (model.layers, model.width)
    (heads, keyHeads) = (model.heads, model.keyHeads ?? model.heads)
    headSize = try Self.headSize(width: width, heads: heads)
    scoreDivisor = headSize
    hidden = model.hidden ?? (kind == .gemma ? 8 : 4) * width
    if kind == .gemma3 {
      isLocal = (1...layers).map { $0 % Self.usualPattern != 0 && $0 != layers }
      window = 512
      globalRotary.base = 1_000_000
    }
    (dropout, tied) = (Float(model.dropout), model.isTied)
    initialStd = Float(model.initialStd)
    padding = ids.id("<pad>") ?? ids.endOfText
    beginningOfText = ids.id("<bos>") ?? ids.endOfText
    ends = [ids.endOfText]
    try check()
  }

  package static var keys: [ConfigurationKey<Self>] {
    [
      .name("model_type", \.kind),
      // Files of the first release say `gelu` and mean the tanh form.
      .only("hidden_act", ["gelu_pytorch_tanh", "gelu", "gelu_new"]).when { $0.kind == .gemma },
      .only("hidden_activation", ["gelu_pytorch_tanh", "gelu_new"]),
      .unsupported(
        "attn_logit_softcapping", "final_logit_softcapping", "use_bidirectional_attention"),
      .size("vocab_size", \.vocabulary, atMost: ModelLimits.vocabulary) {
        $0.kind == .gemma ? 256_000 : 262_208
      },
      .size("hidden_size", \.width, atMost: ModelLimits.width) {
        $0.kind == .gemma ? 3072 : 2304
      },
      .size("intermediate_size", \.hidden, atMost: ModelLimits.hidden) {
        $0.kind == .gemma ? 24_576 : 9216
      },
      .size("num_hidden_layers", \.layers, atMost: ModelLimits.layers) {
        $0.kind == .gemma ? 28 : 26
      },
      .size("num_attention_heads", \.heads, atMost: ModelLimits.width) {
        $0.kind == .gemma ? 16 : 8
      },
      .size("num_key_value_heads", \.keyHeads, atMost: ModelLimits.width) {
        $0.kind == .gemma ? 16 : 4
      },
      .size("head_dim", \.headSize, atMost: ModelLimits.width, default: 256),
      .size("max_position_embeddings", \.context, atMost: ModelLimits.context) {
        $0.kind == .gemma ? 8192 : 131_072
      },
      .flag("attention_bias", \.hasAttentionBias, default: false),
      .rate("attention_dropout", \.dropout, default: 0),
      .size("query_pre_attn_scalar", \.scoreDivisor, atMost: ModelLimits.width, default: 256)
        .when { $0.kind == .gemma3 },
      layerTypes.when { $0.kind == .gemma3 },
      .size("sliding_window", \.window, atMost: ModelLimits.context, default: 4096)
        .when { $0.kind == .gemma3 },
      .rotary(\.globalRotary).when { $0.kind == .gemma },
      twoRotaries.when { $0.kind == .gemma3 },
      .flag("tie_word_embeddings", \.tied, default: true),
      .positive("rms_norm_eps", \.epsilon, default: 1e-6),
      .positive("initializer_range", \.initialStd, default: 0.02),
      .padding(\.padding),
      .keptID("bos_token_id", \.beginningOfText) { _ in 2 },
      .ends(\.ends) { min(1, $0.vocabulary - 1) },
      .irrelevant(
        ["_sliding_window_pattern"],
        because: "transformers writes it beside layer_types and does not read it"),
      .irrelevant(
        ["image_token_id", "mm_tokens_per_image", "text_config", "vision_config"],
        because: "they are of the model that reads images"
      ).when { $0.kind == .gemma3 },
    ] + ConfigurationKey.common
  }

  package var untied: (any ModelConfiguration)? {
    var copy = self
    copy.tied = false
    return copy
  }

  package var architecture: Architecture {
    Architecture(family: kind == .gemma ? "Gemma" : "Gemma3", head: "ForCausalLM")
  }

  package func backbone(_ parameters: Parameters) -> any Backbone { Gemma(self, parameters) }
}

// Keys with rules of their own.
extension GemmaConfiguration {
  /// Every how many blocks one is global, in published models.
  private static let usualPattern = 6

  /// The list of transformers 5, or the distance of global blocks of transformers 4.
  private static var layerTypes: ConfigurationKey<Self> {
    let pattern = "sliding_window_pattern"
    return ConfigurationKey([LayerTypes.key, pattern]) { fields, model throws(ModelError) in
      var given: [(key: String, value: [Bool])] = []
      if let types = try fields.layerTypes(count: model.layers) {
        given.append((LayerTypes.key, types))
      }
      let distance = try fields.size(pattern, atMost: ModelLimits.layers, default: usualPattern)
      let regular = (1...model.layers).map { $0 % distance != 0 }
      if fields.has(pattern) { given.append((pattern, regular)) }
      model.isLocal = try fields.agreed(given) ?? regular
    } write: { model, json in
      json[LayerTypes.key] = LayerTypes.list(model.isLocal)
      let distance = 1 + (model.isLocal.firstIndex(of: false) ?? model.layers)
      let isRegular = model.isLocal.indices.allSatisfy {
        model.isLocal[$0] == (($0 + 1) % distance != 0)
      }
      if isRegular { json[pattern] = .integer(distance) }
    }
  }

  /// Gemma 3 has two: transformers 4 names the local base beside the global settings, transformers
  /// 5 has a map of two maps.
  private static var twoRotaries: ConfigurationKey<Self> {
    let localBase = "rope_local_base_freq"
    let (local, global) = (LayerTypes.local, LayerTypes.global)
    return ConfigurationKey(RotarySettings.keys + [localBase]) { fields, model throws(ModelError) in
      let maps =
        try fields.map(RotarySettings.mapKey, of: [global, local])
        ?? ConfigurationFields(values: [:], path: fields.path)
      model.globalRotary = try RotarySettings(
        fields, default: 1_000_000, maps: [(RotarySettings.olderMapKey, fields), (global, maps)],
        context: model.context)
      model.localRotary = try RotarySettings(
        fields, base: localBase, default: 10_000, maps: [(local, maps)], context: model.context)
      guard model.localRotary.scaling == .none else {
        throw .unsupported(
          path: fields.path, key: "\(RotarySettings.mapKey).\(local)",
          value: ConfigurationValue.map(model.localRotary.scalingJSON).text, supported: "default")
      }
    } write: { model, json in
      model.globalRotary.write(to: &json)
      json[localBase] = .number(model.localRotary.base)
      json[RotarySettings.mapKey] = .map([
        global: .map(model.globalRotary.json), local: .map(model.localRotary.json),
      ])
    }
  }
}

extension ModelFamily {
  private static let gemmaNames = WeightNames(
    backbone: "model.", embeddings: ["embed_tokens.weight"])

  /// Gemma 1.
  package static let gemma = ModelFamily(
    name: "gemma", configuration: GemmaConfiguration.self,
    modelTypes: [GemmaConfiguration.Kind.gemma.rawValue],
    weightNames: gemmaNames, keys: [.initialStd, .kvHeads], feedForwardRatio: "8")

  /// The text model of Gemma 3.
  package static let gemma3 = ModelFamily(
    name: "gemma3", configuration: GemmaConfiguration.self,
    modelTypes: [GemmaConfiguration.Kind.gemma3.rawValue],
    weightNames: gemmaNames, keys: [.initialStd, .kvHeads], feedForwardRatio: "4")
}
