import Layers
import Tensors

/// The sizes of a Llama or one of its relatives.
public struct LlamaConfiguration: ModelConfiguration {
  /// Which of them.
  public var kind = LlamaKind.llama
  /// Number of token ids.
  public var vocabulary: Int
  /// Longest sequence.
  public var context: Int
  /// Number of blocks.
  public var layers: Int
  /// Query heads per block.
  public var heads: Int
  /// Key and value heads per block; divides `heads`.
  public var keyHeads: Int
  /// Size of the residual stream.
  public var width: Int
  /// Size of the feed-forward's hidden layer.
  public var hidden: Int
  /// Size of a head, also of a key's.
  public var headSize: Int
  /// Whether the projections to queries, keys and values have biases.
  public var hasQueryBias = false
  /// Whether the projection out of the attention has one.
  public var hasOutputBias = false
  /// Whether the projections of the feed-forward have biases.
  public var hasFeedForwardBias = false
  /// How many positions back a query sees; nil for all of them.
  public var window: Int?
  /// The first block with a window.
  public var firstWindowed = 0
  /// Share dropped from attention probabilities, the one place where the family has dropout.
  public var dropout: Float
  /// Whether the head is the token embedding.
  public var tied: Bool
  /// Base of the rotary positions' frequencies.
  public var ropeBase: Double = 10_000
  /// How the rotary frequencies are slowed down.
  public var ropeScaling = RotaryScaling.none
  /// Added to mean squares.
  public var epsilon: Float = 1e-5
  /// Standard deviation of the first weights.
  public var initialDeviation: Float = 0.02
  /// The id that ends a document, for `config.json`.
  public var endOfText: Int

  /// - Parameters:
  ///   - vocabulary: Number of token ids.
  ///   - context: Longest sequence.
  ///   - layers: Number of blocks.
  ///   - heads: Query heads per block.
  ///   - keyHeads: Key and value heads per block; `heads` when nil.
  ///   - headSize: Size of a head; width ÷ heads when nil.
  ///   - width: Size of the residual stream.
  ///   - hidden: Size of the feed-forward's hidden layer; 8/3 × width rounded up to a multiple of
  ///     16 when nil.
  ///   - dropout: Share dropped from attention probabilities.
  ///   - tied: Whether the head is the token embedding.
  ///   - endOfText: The id that ends a document.
  public init(
    vocabulary: Int, context: Int, layers: Int, heads: Int, keyHeads: Int? = nil,
    headSize: Int? = nil, width: Int, hidden: Int? = nil, dropout: Float = 0, tied: Bool = false,
    endOfText: Int
  ) throws(ModelError) {
    let keyHeads = keyHeads ?? heads
    if let headSize, headSize % 2 != 0 {
      throw .inconsistent(
        "Rotary positions need heads of an even size, and head_dim is \(headSize): choose an even one."
      )
    }
    guard headSize != nil || width % heads == 0 && width / heads % 2 == 0 else {
      throw .inconsistent(
        "model.width \(width) does not divide into model.heads \(heads) of an even size, as rotary "
          + "positions need: choose a multiple of \(2 * heads).")
    }
    guard heads % keyHeads == 0 else {
      throw .inconsistent(
        "model.heads \(heads) is not a multiple of model.kvHeads \(keyHeads): every key head "
          + "serves the same number of query heads.")
    }
    self.vocabulary = vocabulary
    self.context = context
    self.layers = layers
    self.heads = heads
    self.keyHeads = keyHeads
    self.width = width
    self.headSize = headSize ?? width / heads
    self.hidden = hidden ?? (8 * width / 3 + 15) / 16 * 16
    self.dropout = dropout
    self.tied = tied
    self.endOfText = endOfText
  }

  /// Key heads × head size.
  public var keyWidth: Int { headSize * keyHeads }

  /// The network below its head.
  public func trunk(_ parameters: Parameters) -> any Trunk { Llama(self, parameters) }
}

/// Families whose network is Llama's but for a few switches, by their `model_type`.
public enum LlamaKind: String, Sendable, CaseIterable {
  /// Llama, SmolLM, TinyLlama and many more.
  case llama
  /// Mistral: a sliding window.
  case mistral
  /// Qwen 2 and 2.5: biases on queries, keys and values.
  case qwen2
  /// Qwen 3: norms on the heads of queries and keys.
  case qwen3

  /// Hugging Face's name of the language model.
  var architecture: String {
    "\(rawValue.prefix(1).uppercased())\(rawValue.dropFirst())ForCausalLM"
  }

  /// Whether queries and keys are normalised, head by head.
  var normalisesHeads: Bool { self == .qwen3 }
}
