import Layers
import Tensors

/// The configuration of a network, with its Hugging Face keys.
package protocol NetworkConfiguration: Sendable, Equatable {
  /// The type of the network.
  associatedtype Network

  /// The configuration of the language model with the same backbone.
  var model: any ModelConfiguration { get }

  /// The keys of Hugging Face's `config.json`.
  var json: [String: ConfigurationValue] { get }

  /// Builds the network with its parameters.
  func build(_ parameters: Parameters) -> Network

  /// Returns the output of `network` for a fixed probe input, to compare two copies of a network.
  func probeOutput(of network: Network) -> [Float]
}

extension NetworkConfiguration {
  /// Names, shapes and places of the parameters in the flat buffer.
  package var layout: ParameterLayout { ParameterLayout(of: build) }

  /// Returns the layouts of the frozen and the trainable parameters under `lora`.
  ///
  /// - Throws: `LoRAError` when a pattern of `lora` matches nothing in the network.
  package func layout(_ lora: LoRA) throws(LoRAError) -> AdaptedLayout {
    try AdaptedLayout(of: build, lora: lora)
  }
}

/// The configuration of a language model of any family.
package protocol ModelConfiguration: NetworkConfiguration where Network == any LanguageModel {
  /// The token that the head of the family's models predicts.
  static var prediction: Prediction { get }
  /// The keys of `config.json`, in the order in which they are read.
  static var keys: [ConfigurationKey<Self>] { get }

  /// Other names of keys, which transformers reads too: its `attribute_map`.
  static var aliases: [String: String] { get }

  /// A configuration into which `keys` are read; its sizes are not set.
  init()

  /// The configuration of a new model.
  init(_ model: NewModel, _ ids: NewModelIds) throws(ModelError)

  /// Refuses sizes that contradict each other.
  func check() throws(ModelError)

  /// The entry of `architectures` in `config.json`.
  var architecture: Architecture { get }
  /// Number of token ids.
  var vocabulary: Int { get set }
  /// Longest sequence, in tokens.
  var context: Int { get }
  /// Number of attention layers.
  var layers: Int { get }
  /// Size of the residual stream and of the hidden states.
  var width: Int { get }
  /// Elements of a key (and of a value) of one position in one layer.
  var keyWidth: Int { get }
  /// True when the language model's head is tied to the token embedding.
  var tied: Bool { get }
  /// This configuration with a head of its own; nil for a family whose head is always tied.
  var untied: (any ModelConfiguration)? { get }
  /// Standard deviation of the initial weights.
  var initialStd: Float { get }
  /// Dropout rate.
  var dropout: Float { get }
  /// Dropout rate of the input of a classifier's head.
  var classifierDropout: Float { get }
  /// The padding id; nil when the end-of-text id is used for padding.
  var padding: Int? { get }
  /// Number of layers that cache keys and values of the model's own tokens; 0 for a model that does
  /// not generate text.
  var cachedLayers: Int { get }
  /// The decoder's start id (`decoder_start_token_id`); nil for models without a decoder input.
  var start: Int? { get }
  /// Standard deviation of the initial weights of an untied head.
  var headStd: Float { get }

  /// Builds the network without its head.
  func backbone(_ parameters: Parameters) -> any Backbone

  /// Builds the pooler, which computes one vector per sequence from its first token; nil for
  /// decoders, whose heads use the last token.
  func pooler(_ parameters: Parameters) -> Pooler?

  /// Returns empty KV caches for `sequences` sequences of up to `capacity` positions; for an
  /// encoder–decoder also for encoder inputs of up to `source` positions.
  func caches(sequences: Int, capacity: Int, source: Int, in workspace: Workspace)
    -> [KVCache]
}

extension ModelConfiguration {
  package var model: any ModelConfiguration { self }

  package var padding: Int? { nil }

  package var classifierDropout: Float { dropout }

  package static var aliases: [String: String] { [:] }

  package static var prediction: Prediction { .causal }

  /// The token that the head predicts.
  package var prediction: Prediction { Self.prediction }

  package func check() throws(ModelError) {}

  package var cachedLayers: Int { prediction.generatesText ? layers : 0 }

  package func pooler(_ parameters: Parameters) -> Pooler? { nil }

  package var headStd: Float { initialStd }

  /// Standard deviation of the initial projections into the residual stream, scaled down by the
  /// square root of their number (Radford et al.).
  var residualStd: Float { initialStd / Float(2 * layers).squareRoot() }

  package func build(_ parameters: Parameters) -> any LanguageModel {
    CausalModel(self, parameters)
  }

  package var start: Int? { nil }

  /// Returns one cache per attention layer; `source` is ignored.
  package func caches(sequences: Int, capacity: Int, source: Int, in workspace: Workspace)
    -> [KVCache]
  {
    (0..<layers).map { _ in
      KVCache(sequences: sequences, capacity: capacity, width: keyWidth, in: workspace)
    }
  }

  /// Multiply–adds (MACs) per token of the matrix products of a forward pass, attention included,
  /// at full context; a training step costs three times as many.
  ///
  /// The head of a masked language model is counted for the 15 % of tokens that BERT masks. A token
  /// of an encoder–decoder passes through one of its two stacks, so half of all weights is counted.
  package var macsPerToken: Double {
    let isCausal = prediction == .causal
    let matrices = layout.entries.filter { $0.shape.count == 2 }
    let names = Set(matrices.map(\.name))
    var total = 0.0
    for entry in matrices where !entry.isEmbedding {
      total += Double(entry.range.count)
    }
    if !names.contains("lm_head.weight") {
      let head = Double(matrices.first { $0.isEmbedding }?.range.count ?? 0)
      total += prediction == .masked ? 0.15 * head : head
    }
    if prediction == .sequenceToSequence { total /= 2 }
    let queryWidth = Double(matrices.first { $0.isEmbedding }?.shape[1] ?? 0)
    // A causal model computes half of the T×T attention scores.
    return total + Double(layers) * Double(context) * queryWidth * (isCausal ? 1 : 2)
  }
}
