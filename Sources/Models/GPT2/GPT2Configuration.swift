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
  /// Dropout rate after embeddings, attention probabilities and projections.
  package var dropout: Float = 0
  /// True when the head is tied to the token embedding.
  package var tied = true
  /// Epsilon of the LayerNorms, added to variances.
  package var epsilon: Float = 1e-5
  /// Standard deviation of the initial weights.
  package var initialStd: Float = 0.02
  /// The id that ends a document, for `config.json`.
  package var endOfText = 0

  package init() {}

  /// The parameters set the properties of their names.
  ///
  /// - Parameter hidden: 4 × width when nil.
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
    self.dropout = dropout
    self.tied = tied
    self.endOfText = endOfText
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
      .written("model_type") { _ in .text("gpt2") },
      .only("activation_function", ["gelu_new", "gelu_pytorch_tanh"]),
      .only("scale_attn_weights", true),
      .never("scale_attn_by_inverse_layer_idx"),
      .never("add_cross_attention"),
      .size("vocab_size", \.vocabulary, atMost: ModelLimits.vocabulary),
      .size("n_embd", \.width, atMost: ModelLimits.width),
      .size("n_positions", \.context, atMost: ModelLimits.context, default: 1024),
      .written("n_ctx") { .integer($0.context) },
      .size("n_layer", \.layers, atMost: ModelLimits.layers),
      .size("n_head", \.heads, atMost: ModelLimits.width),
      .size("n_inner", \.hidden, atMost: ModelLimits.hidden) { 4 * $0.width },
      .rate("resid_pdrop", \.dropout, default: 0),
      .written("attn_pdrop") { .exact($0.dropout) },
      .written("embd_pdrop") { .exact($0.dropout) },
      .flag("tie_word_embeddings", \.tied, default: true),
      .id("eos_token_id", \.endOfText) { $0.vocabulary - 1 },
      .written("bos_token_id") { .integer($0.endOfText) },
      .positive("layer_norm_epsilon", \.epsilon, default: 1e-5),
      .positive("initializer_range", \.initialStd, default: 0.02),
    ] + ConfigurationKey.common
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
