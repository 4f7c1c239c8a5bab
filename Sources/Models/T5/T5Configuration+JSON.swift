import Tensors

// Reading and writing the `config.json` of T5 and mT5.
//
// transformers before version 5 ties the head when `tie_word_embeddings` is true or absent, and
// then scales its input. Version 5 always writes true, states in `scale_decoder_outputs` whether it
// scales, and leaves a head untied when the weights file has a head that is not the embedding. So
// Apus ties the head exactly when hidden states are scaled; if a file lacks the weight of an untied
// head, `shared.weight` is used (see `PublishedNames` in Checkpoints).

extension T5Configuration {
  init(_ fields: ConfigurationFields, kind: Kind) throws(ModelError) {
    try fields.require("is_encoder_decoder", true)
    let feedForwards = ["relu", "gated-gelu"]
    let usual = kind == .t5 ? "relu" : "gated-gelu"
    try fields.require("feed_forward_proj", oneOf: feedForwards, default: usual)
    let vocabulary = try fields.size("vocab_size", atMost: ModelLimits.vocabulary)
    let isTied = try fields.flag("tie_word_embeddings", default: true)
    let layers = try fields.size("num_layers", atMost: ModelLimits.layers)
    let padding = try fields.id("pad_token_id", below: vocabulary, default: 0)
    let isScaled = try fields.flag("scale_decoder_outputs", default: isTied)
    try self.init(
      vocabulary: vocabulary,
      context: fields.size("n_positions", atMost: ModelLimits.context, default: 512),
      layers: layers,
      decoderLayers: fields.size(
        "num_decoder_layers", atMost: ModelLimits.layers, default: layers),
      heads: fields.size("num_heads", atMost: ModelLimits.width),
      headSize: fields.size("d_kv", atMost: ModelLimits.width, default: 64),
      width: fields.size("d_model", atMost: ModelLimits.width),
      hidden: fields.size("d_ff", atMost: ModelLimits.hidden),
      dropout: fields.rate("dropout_rate", default: 0.1),
      isGated: fields.text("feed_forward_proj", default: usual) == "gated-gelu",
      tied: kind == .t5 && isScaled,
      start: fields.id("decoder_start_token_id", below: vocabulary, default: padding),
      padding: padding,
      endOfText: fields.id("eos_token_id", below: vocabulary, default: min(1, vocabulary - 1)))
    self.kind = kind
    buckets = try fields.size(
      "relative_attention_num_buckets", atMost: ModelLimits.context, default: 32)
    maximumDistance = try fields.size(
      "relative_attention_max_distance", atMost: ModelLimits.context, default: 128)
    guard RelativeBuckets.isDefined(count: buckets, maximumDistance: maximumDistance) else {
      throw .inconsistent(
        "relative_attention_num_buckets \(buckets) is less than 4, or its half is not below "
          + "relative_attention_max_distance \(maximumDistance).")
    }
    epsilon = Float(try fields.positive("layer_norm_epsilon", default: 1e-6))
    initialFactor = Float(try fields.positive("initializer_factor", default: 1))
  }

  /// Hugging Face's keys.
  package var json: [String: ConfigurationValue] {
    var json: [String: ConfigurationValue] = [
      "architectures": .list([
        .text(kind == .t5 ? "T5ForConditionalGeneration" : "MT5ForConditionalGeneration")
      ]),
      "model_type": .text(kind.rawValue), "vocab_size": .integer(vocabulary),
      "n_positions": .integer(context), "num_layers": .integer(layers),
      "num_decoder_layers": .integer(decoderLayers), "num_heads": .integer(heads),
      "d_kv": .integer(headSize), "d_model": .integer(width), "d_ff": .integer(hidden),
      "relative_attention_num_buckets": .integer(buckets),
      "relative_attention_max_distance": .integer(maximumDistance),
      "dropout_rate": .exact(dropout), "layer_norm_epsilon": .exact(epsilon),
      "feed_forward_proj": .text(isGated ? "gated-gelu" : "relu"),
      "tie_word_embeddings": .flag(tied), "scale_decoder_outputs": .flag(tied),
      "is_encoder_decoder": .flag(true), "use_cache": .flag(true),
      // transformers 4 reads `torch_dtype`, 5 `dtype`.
      "dtype": .text("float32"), "torch_dtype": .text("float32"),
      "decoder_start_token_id": .integer(start ?? 0), "pad_token_id": .integer(padding ?? 0),
      "eos_token_id": .integer(endOfText),
    ]
    // transformers refuses a whole number here, and its default is 1.
    if initialFactor != 1 { json["initializer_factor"] = .exact(initialFactor) }
    return json
  }
}
