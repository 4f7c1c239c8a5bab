import Layers
import Tensors

/// The sizes of a BERT.
public struct BERTConfiguration: ModelConfiguration {
  /// Number of token ids.
  public var vocabulary: Int
  /// Longest sequence; one learned vector per position.
  public var context: Int
  /// Number of blocks.
  public var layers: Int
  /// Attention heads per block.
  public var heads: Int
  /// Size of the residual stream.
  public var width: Int
  /// Size of the feed-forward's hidden layer.
  public var hidden: Int
  /// Share dropped after embeddings and projections.
  public var dropout: Float
  /// Share dropped of attention probabilities.
  public var attentionDropout: Float
  /// Kinds of segments; tokens are of the first.
  public var segments = 2
  /// What stands between the two maps of the feed-forward.
  public var activation = GELU.exact
  /// Added to variances.
  public var epsilon: Float = 1e-12
  /// Standard deviation of the first weights.
  public var initialDeviation: Float = 0.02
  /// The id that fills the ends of shorter texts.
  public var padding: Int?

  /// - Parameters:
  ///   - vocabulary: Number of token ids.
  ///   - context: Longest sequence.
  ///   - layers: Number of blocks.
  ///   - heads: Attention heads per block.
  ///   - width: Size of the residual stream.
  ///   - hidden: Size of the feed-forward's hidden layer; 4 × width when nil.
  ///   - dropout: Share dropped, of attention probabilities as well.
  ///   - padding: The id that fills the ends of shorter sequences.
  public init(
    vocabulary: Int, context: Int, layers: Int, heads: Int, width: Int, hidden: Int? = nil,
    dropout: Float = 0, padding: Int = 0
  ) throws(ModelError) {
    guard width % heads == 0 else {
      throw .inconsistent(
        "model.width \(width) does not divide into model.heads \(heads): choose a multiple of it.")
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
      dropout: fields.share("hidden_dropout_prob", default: 0.1),
      padding: fields.id("pad_token_id", below: vocabulary, default: 0))
    attentionDropout = try fields.share("attention_probs_dropout_prob", default: 0.1)
    segments = try fields.size("type_vocab_size", atMost: ModelLimits.vocabulary, default: 2)
    activation = try fields.text("hidden_act", default: "gelu") == "gelu" ? .exact : .tanh
    epsilon = Float(try fields.positive("layer_norm_eps", default: 1e-12))
    initialDeviation = Float(try fields.positive("initializer_range", default: 0.02))
  }

  /// Keys and values are as wide as the residual stream.
  public var keyWidth: Int { width }

  /// The head is the token embedding.
  public var tied: Bool { true }

  /// Masked tokens.
  public var prediction: Prediction { .maskedToken }

  /// The network below its head.
  public func trunk(_ parameters: Parameters) -> any Trunk { BERT(self, parameters) }

  /// The encoder with the head that tells masked tokens.
  public func build(_ parameters: Parameters) -> any LanguageModel {
    MaskedModel(self, parameters)
  }

  /// The vector that heads of whole texts read.
  public func pooler(_ parameters: Parameters) -> Pooler? { Pooler(self, parameters) }

  /// Hugging Face's keys.
  public var json: [String: ConfigurationValue] {
    [
      "architectures": .list([.text("BertForMaskedLM")]), "model_type": .text("bert"),
      "hidden_act": .text(activation == .exact ? "gelu" : "gelu_new"),
      "vocab_size": .integer(vocabulary), "max_position_embeddings": .integer(context),
      "num_hidden_layers": .integer(layers), "num_attention_heads": .integer(heads),
      "hidden_size": .integer(width), "intermediate_size": .integer(hidden),
      "hidden_dropout_prob": .exact(dropout),
      "attention_probs_dropout_prob": .exact(attentionDropout), "classifier_dropout": .null,
      "type_vocab_size": .integer(segments), "layer_norm_eps": .exact(epsilon),
      "initializer_range": .exact(initialDeviation), "pad_token_id": .integer(padding ?? 0),
      "position_embedding_type": .text("absolute"), "tie_word_embeddings": .flag(true),
      "is_decoder": .flag(false), "use_cache": .flag(true),
      // transformers 4 reads `torch_dtype`, 5 `dtype`.
      "dtype": .text("float32"), "torch_dtype": .text("float32"),
    ]
  }
}
