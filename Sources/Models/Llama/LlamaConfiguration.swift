import Tensors

/// The configuration of a Llama or one of its relatives.
package struct LlamaConfiguration: GroupedQueryConfiguration {
  /// The family.
  package var kind = LlamaKind.llama
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
  /// Size of the residual stream.
  package var width = 0
  /// Size of the feed-forward's hidden layer.
  package var hidden = 0
  /// Size of a query, key or value head.
  package var headSize = 0
  /// True when the projections to queries, keys and values have biases.
  package var hasQueryBias = false
  /// True when the output projection of the attention has a bias.
  package var hasOutputBias = false
  /// True when the projections of the feed-forward have biases.
  package var hasFeedForwardBias = false
  /// Sliding window: the number of positions that a query attends to, its own included; nil for all
  /// earlier ones.
  package var window: Int?
  /// For every block, true when it attends only within the window; empty when all do.
  package var isLocal: [Bool] = []
  /// `max_window_layers` of Qwen, whose blocks from this one on are local unless `layer_types` lists
  /// them.
  var firstLocal = 28
  /// Dropout rate of attention probabilities; the family has no other dropout.
  package var dropout: Float = 0
  /// True when the head is tied to the token embedding.
  package var tied = false
  /// Base and scaling of the rotary frequencies.
  var rotary = RotarySettings(base: 10_000)
  /// Epsilon of the RMSNorms, added to mean squares.
  package var epsilon: Float = 1e-5
  /// Standard deviation of the initial weights.
  package var initialStd: Float = 0.02
  /// The ids that begin and end a document, for `config.json`.
  package var (beginningOfText, ends): (Int?, [Int]) = (nil, [])

  package init() {}

  /// The parameters set the properties of their names.
  ///
  /// - Parameters:
  ///   - keyHeads: `heads` when nil.
  ///   - hidden: 8/3 × width rounded up to a multiple of 16 when nil.
  ///   - endOfText: The id that also begins a document.
  package init(
    vocabulary: Int, context: Int, layers: Int, heads: Int, keyHeads: Int? = nil,
    width: Int, hidden: Int? = nil, dropout: Float = 0, tied: Bool = false, endOfText: Int
  ) throws(ModelError) {
    self.vocabulary = vocabulary
    self.context = context
    self.layers = layers
    self.heads = heads
    self.keyHeads = keyHeads ?? heads
    self.width = width
    headSize = try Self.headSize(width: width, heads: heads)
    self.hidden = hidden ?? (8 * width / 3 + 15) / 16 * 16
    self.dropout = dropout
    self.tied = tied
    (beginningOfText, ends) = (endOfText, [endOfText])
    try check()
  }

  package init(_ model: NewModel, _ ids: NewModelIds) throws(ModelError) {
    try self.init(
      vocabulary: ids.count, context: model.context, layers: model.layers, heads: model.heads,
      keyHeads: model.keyHeads, width: model.width, hidden: model.hidden,
      dropout: Float(model.dropout), tied: model.isTied, endOfText: ids.endOfText)
    initialStd = Float(model.initialStd)
  }

  package var architecture: Architecture {
    let name = kind.rawValue
    return Architecture(
      family: name.prefix(1).uppercased() + name.dropFirst(), head: "ForCausalLM")
  }

  package var untied: (any ModelConfiguration)? {
    var copy = self
    copy.tied = false
    return copy
  }

  /// The window of the block `index`; nil for none.
  func window(ofBlock index: Int) -> Int? {
    isLocal.isEmpty || isLocal[index] ? window : nil
  }

  package func backbone(_ parameters: Parameters) -> any Backbone { Llama(self, parameters) }
}

/// The families that share Llama's network except for a few settings, by their `model_type`.
package enum LlamaKind: String, Sendable, CaseIterable {
  /// Llama, SmolLM, TinyLlama and many others.
  case llama
  /// Mistral: a sliding window.
  case mistral
  /// Qwen 2 and 2.5: biases on queries, keys and values.
  case qwen2
  /// Qwen 3: norms on the heads of queries and keys.
  case qwen3

  /// True for both Qwens, whose window stands behind a flag.
  var isQwen: Bool { self == .qwen2 || self == .qwen3 }

  /// True when queries and keys are normalised per head.
  var normalisesHeads: Bool { self == .qwen3 }
}

extension ModelFamily {
  /// Llama and its relatives; a new model is a Llama.
  package static let llama = ModelFamily(
    name: "llama", configuration: LlamaConfiguration.self,
    modelTypes: LlamaKind.allCases.map(\.rawValue),
    weightNames: WeightNames(
      backbone: "model.", embeddings: ["embed_tokens.weight"],
      buffers: [".rotary_emb.inv_freq"]),
    keys: [.initialStd, .kvHeads], feedForwardRatio: "8/3", isTied: false)
}
