import Tensors

/// The configuration of a GPT-2.
package struct GPT2Configuration: ModelConfiguration {
  /// Number of token ids.
  package var vocabulary = 0
  /// Longest sequence, in tokens; every position has a learned embedding.
  package var context = 0
  /// Number of blocks.
  package var layers = 0
  /// Attention heads per block.
  package var heads = 0
  /// Size of the residual stream.
  package var width = 0
  /// Size of the feed-forward's hidden layer.
  package var hidden = 0
  /// Dropout rate after projections.
  package var dropout: Float = 0
  /// Dropout rate after embeddings.
  package var embeddingDropout: Float = 0
  /// Dropout rate of attention probabilities.
  package var attentionDropout: Float = 0
  /// True when the head is tied to the token embedding.
  package var tied = true
  /// Epsilon of the LayerNorms, added to variances.
  package var epsilon: Float = 1e-5
  /// Standard deviation of the initial weights.
  package var initialStd: Float = 0.02
  /// The ids that begin and end a document, for `config.json`.
  package var (beginningOfText, ends): (Int?, [Int]) = (nil, [])

  package init() {}

  /// The parameters set the properties of their names.
  ///
  /// - Parameters:
  ///   - hidden: 4 × width when nil.
  ///   - dropout: The rate everywhere.
  ///   - endOfText: The id that also begins a document.
  package init(
    vocabulary: Int, context: Int, layers: Int, heads: Int, width: Int, hidden: Int? = nil,
    dropout: Float = 0, tied: Bool = true, endOfText: Int
  ) throws(ModelError) {
    self.vocabulary = vocabulary
    self.context = context
    self.layers = layers
    self.heads = heads
    self.width = width
    self.hidden = hidden ?? 4 * width
    (self.dropout, embeddingDropout, attentionDropout) = (dropout, dropout, dropout)
    self.tied = tied
    (beginningOfText, ends) = (endOfText, [endOfText])
    try check()
  }

  package init(_ model: NewModel, _ ids: NewModelIds) throws(ModelError) {
    try self.init(
      vocabulary: ids.count, context: model.context, layers: model.layers, heads: model.heads,
      width: model.width, hidden: model.hidden, dropout: Float(model.dropout),
      tied: model.isTied, endOfText: ids.endOfText)
    initialStd = Float(model.initialStd)
  }

  package func check() throws(ModelError) {
    guard width % heads == 0 else {
      throw .inconsistent(
        "model.width \(width) is not a multiple of model.heads \(heads): choose a multiple.")
    }
  }

  package static var keys: [ConfigurationKey<Self>] {
    [
      .readElsewhere("model_type") { _ in .text("gpt2") },
      .only("activation_function", ["gelu_new", "gelu_pytorch_tanh"]),
      .only("scale_attn_weights", true),
      .unsupported("scale_attn_by_inverse_layer_idx", "add_cross_attention", "is_encoder_decoder"),
      .size("vocab_size", \.vocabulary, atMost: ModelLimits.vocabulary, default: 50_257),
      .size("n_embd", \.width, atMost: ModelLimits.width, default: 768),
      .size("n_positions", \.context, atMost: ModelLimits.context, default: 1024),
      .irrelevant(
        ["n_ctx"], because: "n_positions holds the same number",
        writing: { .integer($0.context) }),
      .size("n_layer", \.layers, atMost: ModelLimits.layers, default: 12),
      .size("n_head", \.heads, atMost: ModelLimits.width, default: 12),
      .size("n_inner", \.hidden, atMost: ModelLimits.hidden) { 4 * $0.width },
      .rate("resid_pdrop", \.dropout, default: 0.1),
      .rate("embd_pdrop", \.embeddingDropout, default: 0.1),
      .rate("attn_pdrop", \.attentionDropout, default: 0.1),
      .flag("tie_word_embeddings", \.tied, default: true),
      .keptID("bos_token_id", \.beginningOfText) { _ in 50_256 },
      .ends(\.ends) { min(50_256, $0.vocabulary - 1) },
      .positive("layer_norm_epsilon", \.epsilon, default: 1e-5),
      .positive("initializer_range", \.initialStd, default: 0.02),
      .irrelevant(
        ["reorder_and_upcast_attn"], because: "attention scores are fp32 with every precision"),
      .irrelevant(
        [
          "summary_type", "summary_use_proj", "summary_activation", "summary_proj_to_labels",
          "summary_first_dropout", "summary_last_dropout", "classifier_dropout", "hidden_dropout",
        ], because: "they are of heads that Apus does not build for this family"),
    ] + ConfigurationKey.common
  }

  package static var aliases: [String: String] {
    [
      "hidden_size": "n_embd", "max_position_embeddings": "n_positions",
      "num_attention_heads": "n_head", "num_hidden_layers": "n_layer",
    ]
  }

  package var untied: (any ModelConfiguration)? {
    var copy = self
    copy.tied = false
    return copy
  }

  package var architecture: Architecture { Architecture(family: "GPT2", head: "LMHeadModel") }

  /// Keys and values are as wide as the residual stream.
  package var keyWidth: Int { width }

  package func backbone(_ parameters: Parameters) -> any Backbone { GPT2(self, parameters) }
}

extension ModelFamily {
  /// GPT-2.
  package static let gpt2 = ModelFamily(
    name: "gpt2", configuration: GPT2Configuration.self, modelTypes: ["gpt2"],
    weightNames: WeightNames(
      backbone: "transformer.", embeddings: ["wte.weight", "wpe.weight"],
      buffers: [".attn.bias", ".attn.masked_bias"]),
    feedForwardRatio: "4")
}
