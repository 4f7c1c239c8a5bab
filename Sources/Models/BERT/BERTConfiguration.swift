import Layers
import Tensors

/// The configuration of a BERT.
package struct BERTConfiguration: ModelConfiguration {
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
  /// Dropout rate after embeddings and projections.
  package var dropout: Float
  /// Dropout rate of attention probabilities.
  package var attentionDropout: Float
  /// Number of segment types; all tokens have the first.
  package var segments = 2
  /// The activation function of the feed-forward.
  package var activation = GELU.exact
  /// Epsilon of the LayerNorms, added to variances.
  package var epsilon: Float = 1e-12
  /// Standard deviation of the initial weights.
  package var initialStd: Float = 0.02
  /// The padding id.
  package var padding: Int?

  /// - Parameters:
  ///   - vocabulary: Number of token ids.
  ///   - context: Longest sequence, in tokens.
  ///   - layers: Number of blocks.
  ///   - heads: Attention heads per block.
  ///   - width: Size of the residual stream.
  ///   - hidden: Size of the feed-forward's hidden layer; 4 × width when nil.
  ///   - dropout: Dropout rate, of attention probabilities as well.
  ///   - padding: The padding id.
  package init(
    vocabulary: Int, context: Int, layers: Int, heads: Int, width: Int, hidden: Int? = nil,
    dropout: Float = 0, padding: Int = 0
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
    attentionDropout = dropout
    self.padding = padding
  }

  init(_ fields: ConfigurationFields) throws(ModelError) {
    try fields.require(
      "hidden_act", oneOf: ["gelu", "gelu_new", "gelu_pytorch_tanh"], default: "gelu")
    try fields.require("position_embedding_type", oneOf: ["absolute"], default: "absolute")
    try fields.require("tie_word_embeddings", true)
    for key in ["is_decoder", "add_cross_attention"] { try fields.require(key, false) }
    let vocabulary = try fields.size("vocab_size", atMost: ModelLimits.vocabulary)
    let width = try fields.size("hidden_size", atMost: ModelLimits.width)
    try self.init(
      vocabulary: vocabulary,
      context: fields.size("max_position_embeddings", atMost: ModelLimits.context, default: 512),
      layers: fields.size("num_hidden_layers", atMost: ModelLimits.layers),
      heads: fields.size("num_attention_heads", atMost: ModelLimits.width), width: width,
      hidden: fields.size("intermediate_size", atMost: ModelLimits.hidden, default: 4 * width),
      dropout: fields.rate("hidden_dropout_prob", default: 0.1),
      padding: fields.id("pad_token_id", below: vocabulary, default: 0))
    attentionDropout = try fields.rate("attention_probs_dropout_prob", default: 0.1)
    segments = try fields.size("type_vocab_size", atMost: ModelLimits.vocabulary, default: 2)
    activation = try fields.text("hidden_act", default: "gelu") == "gelu" ? .exact : .tanh
    epsilon = Float(try fields.positive("layer_norm_eps", default: 1e-12))
    initialStd = Float(try fields.positive("initializer_range", default: 0.02))
  }

  /// Keys and values are as wide as the residual stream.
  package var keyWidth: Int { width }

  /// The head is the token embedding.
  package var tied: Bool { true }

  package var prediction: Prediction { .masked }

  package func backbone(_ parameters: Parameters) -> any Backbone { BERT(self, parameters) }

  package func build(_ parameters: Parameters) -> any LanguageModel {
    MaskedModel(self, parameters)
  }

  package func pooler(_ parameters: Parameters) -> Pooler? { Pooler(self, parameters) }

  /// Hugging Face's keys.
  package var json: [String: ConfigurationValue] {
    [
      "architectures": .list([.text("BertForMaskedLM")]), "model_type": .text("bert"),
      "hidden_act": .text(activation == .exact ? "gelu" : "gelu_new"),
      "vocab_size": .integer(vocabulary), "max_position_embeddings": .integer(context),
      "num_hidden_layers": .integer(layers), "num_attention_heads": .integer(heads),
      "hidden_size": .integer(width), "intermediate_size": .integer(hidden),
      "hidden_dropout_prob": .exact(dropout),
      "attention_probs_dropout_prob": .exact(attentionDropout), "classifier_dropout": .null,
      "type_vocab_size": .integer(segments), "layer_norm_eps": .exact(epsilon),
      "initializer_range": .exact(initialStd), "pad_token_id": .integer(padding ?? 0),
      "position_embedding_type": .text("absolute"), "tie_word_embeddings": .flag(true),
      "is_decoder": .flag(false), "use_cache": .flag(true),
      // transformers 4 reads `torch_dtype`, 5 `dtype`.
      "dtype": .text("float32"), "torch_dtype": .text("float32"),
    ]
  }
}
