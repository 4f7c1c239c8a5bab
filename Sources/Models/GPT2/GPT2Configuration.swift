import Tensors

/// The configuration of a GPT-2.
package struct GPT2Configuration: ModelConfiguration {
  /// Number of token ids.
  package var vocabulary: Int
  /// Longest sequence, in tokens; every position has a learned embedding.
  package var context: Int
  /// Number of blocks.
  package var layers: Int
  /// Attention heads per block.
  package var heads: Int
  /// Size of the residual stream.
  package var width: Int
  /// Size of the feed-forward's hidden layer.
  package var hidden: Int
  /// Dropout rate after embeddings, attention probabilities and projections.
  package var dropout: Float
  /// True when the head is tied to the token embedding.
  package var tied: Bool
  /// Epsilon of the LayerNorms, added to variances.
  package var epsilon: Float = 1e-5
  /// Standard deviation of the initial weights.
  package var initialStd: Float = 0.02
  /// The id that ends a document, for `config.json`.
  package var endOfText: Int

  /// - Parameters:
  ///   - vocabulary: Number of token ids.
  ///   - context: Longest sequence, in tokens.
  ///   - layers: Number of blocks.
  ///   - heads: Attention heads per block.
  ///   - width: Size of the residual stream.
  ///   - hidden: Size of the feed-forward's hidden layer; 4 × width when nil.
  ///   - dropout: Dropout rate.
  ///   - tied: True to tie the head to the token embedding.
  ///   - endOfText: The id that ends a document.
  package init(
    vocabulary: Int, context: Int, layers: Int, heads: Int, width: Int, hidden: Int? = nil,
    dropout: Float = 0, tied: Bool = true, endOfText: Int
  ) throws(ModelError) {
    guard width % heads == 0 else {
      throw .inconsistent(
        "model.width \(width) is not a multiple of model.heads \(heads): choose a multiple.")
    }
    self.vocabulary = vocabulary
    self.context = context
    self.layers = layers
    self.heads = heads
    self.width = width
    self.hidden = hidden ?? 4 * width
    self.dropout = dropout
    self.tied = tied
    self.endOfText = endOfText
  }

  init(_ fields: ConfigurationFields) throws(ModelError) {
    try fields.require(
      "activation_function", oneOf: ["gelu_new", "gelu_pytorch_tanh"], default: "gelu_new")
    try fields.require("scale_attn_weights", true)
    try fields.require("scale_attn_by_inverse_layer_idx", false)
    try fields.require("add_cross_attention", false)
    let vocabulary = try fields.size("vocab_size", atMost: ModelLimits.vocabulary)
    let width = try fields.size("n_embd", atMost: ModelLimits.width)
    try self.init(
      vocabulary: vocabulary,
      context: fields.size("n_positions", atMost: ModelLimits.context, default: 1024),
      layers: fields.size("n_layer", atMost: ModelLimits.layers),
      heads: fields.size("n_head", atMost: ModelLimits.width), width: width,
      hidden: fields.size("n_inner", atMost: ModelLimits.hidden, default: 4 * width),
      dropout: fields.rate("resid_pdrop", default: 0),
      tied: fields.flag("tie_word_embeddings", default: true),
      endOfText: fields.id("eos_token_id", below: vocabulary, default: vocabulary - 1))
    epsilon = Float(try fields.positive("layer_norm_epsilon", default: 1e-5))
    initialStd = Float(try fields.positive("initializer_range", default: 0.02))
  }

  /// Keys and values are as wide as the residual stream.
  package var keyWidth: Int { width }

  package func backbone(_ parameters: Parameters) -> any Backbone { GPT2(self, parameters) }

  /// Hugging Face's keys.
  package var json: [String: ConfigurationValue] {
    let rate = ConfigurationValue.number(Double("\(dropout)") ?? 0)
    return [
      "architectures": .list([.text("GPT2LMHeadModel")]), "model_type": .text("gpt2"),
      "activation_function": .text("gelu_new"), "vocab_size": .integer(vocabulary),
      "n_positions": .integer(context), "n_ctx": .integer(context), "n_layer": .integer(layers),
      "n_head": .integer(heads), "n_embd": .integer(width), "n_inner": .integer(hidden),
      "attn_pdrop": rate, "embd_pdrop": rate, "resid_pdrop": rate,
      "layer_norm_epsilon": .number(Double("\(epsilon)") ?? 1e-5),
      "initializer_range": .number(Double("\(initialStd)") ?? 0.02),
      "tie_word_embeddings": .flag(tied),
      "scale_attn_weights": .flag(true), "use_cache": .flag(true),
      // transformers 4 reads `torch_dtype`, 5 `dtype`.
      "dtype": .text("float32"), "torch_dtype": .text("float32"),
      "bos_token_id": .integer(endOfText), "eos_token_id": .integer(endOfText),
    ]
  }
}
