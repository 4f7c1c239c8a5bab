import Tensors

// The keys in the `config.json` of T5 and mT5.
//
// transformers before version 5 ties the head when `tie_word_embeddings` is true or absent, and
// then scales its input. Version 5 always writes true, states in `scale_decoder_outputs` whether it
// scales, and leaves a head untied when the weights file has a head that is not the embedding. So
// Apus ties the head exactly when hidden states are scaled; if a file lacks the weight of an untied
// head, `shared.weight` is used (see `WeightNames.shared`).

extension T5Configuration {
  package static var keys: [ConfigurationKey<Self>] {
    [
      .name("model_type", \.kind),
      .only("is_encoder_decoder", true),
      .choice("feed_forward_proj", \.isGated, ["relu": false, "gated-gelu": true]) {
        $0.kind == .t5 ? "relu" : "gated-gelu"
      },
      .size("vocab_size", \.vocabulary, atMost: ModelLimits.vocabulary),
      .flag("tie_word_embeddings", \.tied, default: true),
      scaledOutputs,
      .size("num_layers", \.layers, atMost: ModelLimits.layers),
      .size("num_decoder_layers", \.decoderLayers, atMost: ModelLimits.layers) { $0.layers },
      .size("n_positions", \.context, atMost: ModelLimits.context, default: 512),
      .size("num_heads", \.heads, atMost: ModelLimits.width),
      .size("d_kv", \.headSize, atMost: ModelLimits.width, default: 64),
      .size("d_model", \.width, atMost: ModelLimits.width),
      .size("d_ff", \.hidden, atMost: ModelLimits.hidden),
      .rate("dropout_rate", \.dropout, default: 0.1),
      .id("pad_token_id", \.padding) { _ in 0 },
      .id("decoder_start_token_id", \.start) { $0.padding ?? 0 },
      .id("eos_token_id", \.endOfText) { min(1, $0.vocabulary - 1) },
      .size(
        "relative_attention_num_buckets", \.buckets, atMost: ModelLimits.context, default: 32),
      .size(
        "relative_attention_max_distance", \.maximumDistance, atMost: ModelLimits.context,
        default: 128),
      .positive("layer_norm_epsilon", \.epsilon, default: 1e-6),
      // transformers refuses a whole number here, and its default is 1.
      .positive("initializer_factor", \.initialFactor, default: 1)
        .written { $0.initialFactor != 1 },
    ] + ConfigurationKey.common
  }

  /// The head is tied when hidden states are scaled, by default when `tie_word_embeddings` is true;
  /// that of mT5 never is.
  private static var scaledOutputs: ConfigurationKey<Self> {
    let name = "scale_decoder_outputs"
    return ConfigurationKey { fields, model throws(ModelError) in
      let isScaled = try fields.flag(name, default: model.tied)
      model.tied = model.kind == .t5 && isScaled
    } write: { model, json in
      json[name] = .flag(model.tied)
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
