import Layers
import Tensors

/// The configuration of a BERT.
package struct BERTConfiguration: ModelConfiguration {
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
  /// Dropout rate after embeddings and projections.
  package var dropout: Float = 0
  /// Dropout rate of attention probabilities.
  package var attentionDropout: Float = 0
  /// Dropout rate of the input of a classifier's head; nil for that of projections.
  var headDropout: Float?
  /// Number of segment types; all tokens have the first.
  package var segments = 2
  /// The activation function of the feed-forward.
  package var activation = GELU.exact
  /// Epsilon of the LayerNorms, added to variances.
  package var epsilon: Float = 1e-12
  /// Standard deviation of the initial weights.
  package var initialStd: Float = 0.02
  /// The padding id.
  package var padding: Int? = 0

  package init() {}

  package init(_ model: NewModel, _ ids: NewModelIds) throws(ModelError) {
    (vocabulary, context) = (ids.count, model.context)
    (layers, heads) = (model.layers, model.heads)
    (width, hidden) = (model.width, model.hidden ?? 4 * model.width)
    dropout = Float(model.dropout)
    attentionDropout = dropout
    initialStd = Float(model.initialStd)
    padding = ids.id("[PAD]") ?? ids.id("<pad>") ?? ids.endOfText
    try check()
  }

  package func check() throws(ModelError) {
    guard width % heads == 0 else {
      throw .inconsistent(
        "model.width \(width) is not a multiple of model.heads \(heads): choose a multiple.")
    }
  }

  package static var keys: [ConfigurationKey<Self>] {
    [
      .readElsewhere("model_type") { _ in .text("bert") },
      .choice(
        "hidden_act", \.activation,
        ["gelu": .exact, "gelu_new": .tanh, "gelu_pytorch_tanh": .tanh]
      ) { _ in "gelu" },
      .only("position_embedding_type", ["absolute"]),
      .only("tie_word_embeddings", true),
      .only("is_decoder", false),
      .unsupported("add_cross_attention", "is_encoder_decoder"),
      .size("vocab_size", \.vocabulary, atMost: ModelLimits.vocabulary, default: 30_522),
      .size("hidden_size", \.width, atMost: ModelLimits.width, default: 768),
      .size("max_position_embeddings", \.context, atMost: ModelLimits.context, default: 512),
      .size("num_hidden_layers", \.layers, atMost: ModelLimits.layers, default: 12),
      .size("num_attention_heads", \.heads, atMost: ModelLimits.width, default: 12),
      .size("intermediate_size", \.hidden, atMost: ModelLimits.hidden, default: 3072),
      .rate("hidden_dropout_prob", \.dropout, default: 0.1),
      .padding(\.padding),
      .rate("attention_probs_dropout_prob", \.attentionDropout, default: 0.1),
      headDropout,
      .size("type_vocab_size", \.segments, atMost: ModelLimits.vocabulary, default: 2),
      .positive("layer_norm_eps", \.epsilon, default: 1e-12),
      .positive("initializer_range", \.initialStd, default: 0.02),
      .irrelevant(
        [
          "directionality", "pooler_fc_size", "pooler_num_attention_heads",
          "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type",
        ], because: "they are of the first release in TensorFlow, and no class reads them"),
    ] + ConfigurationKey.common
  }

  private static var headDropout: ConfigurationKey<Self> {
    let name = "classifier_dropout"
    return ConfigurationKey([name]) { fields, model throws(ModelError) in
      model.headDropout = try fields.has(name) ? fields.rate(name, default: 0) : nil
    } write: { model, json in
      json[name] = model.headDropout.map { .exact($0) } ?? .null
    }
  }

  package static var prediction: Prediction { .masked }

  package var classifierDropout: Float { headDropout ?? dropout }

  package var architecture: Architecture { Architecture(family: "Bert", head: "ForMaskedLM") }

  /// Keys and values are as wide as the residual stream.
  package var keyWidth: Int { width }

  /// The head is the token embedding.
  package var tied: Bool { true }

  package var untied: (any ModelConfiguration)? { nil }

  package func backbone(_ parameters: Parameters) -> any Backbone { BERT(self, parameters) }

  package func build(_ parameters: Parameters) -> any LanguageModel {
    MaskedModel(self, parameters)
  }

  package func pooler(_ parameters: Parameters) -> Pooler? { Pooler(self, parameters) }
}

extension ModelFamily {
  /// BERT.
  package static let bert = ModelFamily(
    name: "bert", configuration: BERTConfiguration.self, modelTypes: ["bert"],
    weightNames: WeightNames(
      backbone: "bert.", head: "cls.predictions.decoder.weight", tiesOnlyHead: false,
      embeddings: ["_embeddings.weight"],
      // TensorFlow's names for gain and bias of a norm.
      variants: ["LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"]),
    feedForwardRatio: "4", allowsUntiedHead: false)
}
