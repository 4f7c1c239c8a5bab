import Tensors

// The keys in the `config.json` of T5 and mT5.
//
// transformers before version 5 ties the head when `tie_word_embeddings` is true or absent, and
// then scales its input. Version 5 always writes true and states in `scale_decoder_outputs` whether
// it scales. So Apus ties the head exactly when hidden states are scaled; a head in the weights file
// that is not the embedding unties it, as for every family, and if a file lacks the weight of an
// untied head, `shared.weight` is used (see `WeightNames.shared`).

extension T5Configuration {
  package static var keys: [ConfigurationKey<Self>] {
    [
      .name("model_type", \.kind),
      .only("is_encoder_decoder", true),
      feedForward,
      .size("vocab_size", \.vocabulary, atMost: ModelLimits.vocabulary) {
        $0.kind == .t5 ? 32_128 : 250_112
      },
      head,
      .size("num_layers", \.layers, atMost: ModelLimits.layers) { $0.kind == .t5 ? 6 : 8 },
      .size("num_decoder_layers", \.decoderLayers, atMost: ModelLimits.layers) { $0.layers },
      // transformers 5 has no limit on positions, and this key no more.
      .size("n_positions", \.context, atMost: ModelLimits.context, default: 512),
      .size("num_heads", \.heads, atMost: ModelLimits.width) { $0.kind == .t5 ? 8 : 6 },
      .size("d_kv", \.headSize, atMost: ModelLimits.width, default: 64),
      .size("d_model", \.width, atMost: ModelLimits.width, default: 512),
      .size("d_ff", \.hidden, atMost: ModelLimits.hidden) { $0.kind == .t5 ? 2048 : 1024 },
      .rate("dropout_rate", \.dropout, default: 0.1),
      .padding(\.padding),
      .id("decoder_start_token_id", \.start) { $0.padding ?? 0 },
      .ends(\.ends) { min(1, $0.vocabulary - 1) },
      .size(
        "relative_attention_num_buckets", \.buckets, atMost: ModelLimits.context, default: 32),
      .size(
        "relative_attention_max_distance", \.maximumDistance, atMost: ModelLimits.context,
        default: 128),
      .positive("layer_norm_epsilon", \.epsilon, default: 1e-6),
      // transformers refuses a whole number here, and its default is 1.
      .positive("initializer_factor", \.initialFactor, default: 1)
        .written { $0.initialFactor != 1 },
      .irrelevant(
        ["classifier_dropout"], because: "Apus builds no classifier on an encoder–decoder"),
    ] + ConfigurationKey.common
  }

  package static var aliases: [String: String] {
    [
      "hidden_size": "d_model", "num_attention_heads": "num_heads",
      "num_hidden_layers": "num_layers", "head_dim": "d_kv",
    ]
  }

  /// `feed_forward_proj`; transformers derives two more keys from it, and writes them.
  private static var feedForward: ConfigurationKey<Self> {
    let (name, function, isGated) = ("feed_forward_proj", "dense_act_fn", "is_gated_act")
    let values = ["relu": false, "gated-gelu": true]
    return ConfigurationKey([name, function, isGated]) { fields, model throws(ModelError) in
      let text = try fields.text(name, default: model.kind == .t5 ? "relu" : "gated-gelu")
      guard let value = values[text] else {
        throw .unsupported(
          path: fields.path, key: name, value: text, supported: "relu, gated-gelu")
      }
      model.isGated = value
      try fields.require(isGated, value)
      let functions = value ? ["gelu_new", "gelu_pytorch_tanh"] : ["relu"]
      try fields.require(function, oneOf: functions, default: functions[0])
    } write: { model, json in
      json[name] = .text(model.isGated ? "gated-gelu" : "relu")
    }
  }

  /// The scale of the head's input, by default when `tie_word_embeddings` is not false, and with it
  /// the tie; mT5 has neither.
  private static var head: ConfigurationKey<Self> {
    let (tied, scaled) = ("tie_word_embeddings", "scale_decoder_outputs")
    return ConfigurationKey([tied, scaled]) { fields, model throws(ModelError) in
      let isScaled = try fields.flag(scaled, default: fields.flag(tied, default: true))
      model.isScaled = model.kind == .t5 && isScaled
      model.tied = model.isScaled
    } write: { model, json in
      json[tied] = .flag(model.tied)
      json[scaled] = .flag(model.isScaled)
    }
  }

  package func check() throws(ModelError) {
    guard RelativeBuckets.isDefined(count: buckets, maximumDistance: maximumDistance) else {
      throw .inconsistent(
        "relative_attention_num_buckets \(buckets) is less than 4, or its half is not below "
          + "relative_attention_max_distance \(maximumDistance).")
    }
  }
}
