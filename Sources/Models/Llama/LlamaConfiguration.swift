import Layers
import Tensors

/// The configuration of a Llama or one of its relatives.
package struct LlamaConfiguration: ModelConfiguration {
  /// The family.
  package var kind = LlamaKind.llama
  /// Number of token ids.
  package var vocabulary: Int
  /// Longest sequence, in tokens.
  package var context: Int
  /// Number of blocks.
  package var layers: Int
  /// Query heads per block.
  package var heads: Int
  /// Key and value heads per block; divides `heads`.
  package var keyHeads: Int
  /// Size of the residual stream.
  package var width: Int
  /// Size of the feed-forward's hidden layer.
  package var hidden: Int
  /// Size of a query, key or value head.
  package var headSize: Int
  /// True when the projections to queries, keys and values have biases.
  package var hasQueryBias = false
  /// True when the output projection of the attention has a bias.
  package var hasOutputBias = false
  /// True when the projections of the feed-forward have biases.
  package var hasFeedForwardBias = false
  /// Sliding window: the number of positions that a query attends to, its own included; nil for all
  /// earlier ones.
  package var window: Int?
  /// The first block with a window.
  package var firstWindowed = 0
  /// Dropout rate of attention probabilities; the family has no other dropout.
  package var dropout: Float
  /// True when the head is tied to the token embedding.
  package var tied: Bool
  /// Base of the rotary frequencies (`rope_theta`).
  package var ropeBase: Double = 10_000
  /// Scaling of the rotary frequencies for long contexts.
  package var ropeScaling = RotaryScaling.none
  /// Epsilon of the RMSNorms, added to mean squares.
  package var epsilon: Float = 1e-5
  /// Standard deviation of the initial weights.
  package var initialStd: Float = 0.02
  /// The id that ends a document, for `config.json`.
  package var endOfText: Int

  /// - Parameters:
  ///   - vocabulary: Number of token ids.
  ///   - context: Longest sequence, in tokens.
  ///   - layers: Number of blocks.
  ///   - heads: Query heads per block.
  ///   - keyHeads: Key and value heads per block; `heads` when nil.
  ///   - headSize: Size of a head; width ÷ heads when nil.
  ///   - width: Size of the residual stream.
  ///   - hidden: Size of the feed-forward's hidden layer; 8/3 × width rounded up to a multiple of
  ///     16 when nil.
  ///   - dropout: Dropout rate of attention probabilities.
  ///   - tied: True to tie the head to the token embedding.
  ///   - endOfText: The id that ends a document.
  package init(
    vocabulary: Int, context: Int, layers: Int, heads: Int, keyHeads: Int? = nil,
    headSize: Int? = nil, width: Int, hidden: Int? = nil, dropout: Float = 0, tied: Bool = false,
    endOfText: Int
  ) throws(ModelError) {
    let keyHeads = keyHeads ?? heads
    if let headSize, headSize % 2 != 0 {
      throw .inconsistent(
        "Rotary positions need heads of an even size, and head_dim is \(headSize): choose an even "
          + "size.")
    }
    guard headSize != nil || width % heads == 0 && width / heads % 2 == 0 else {
      throw .inconsistent(
        "model.width \(width) is not a multiple of 2 × model.heads (\(heads)), and rotary "
          + "positions need heads of an even size: choose a multiple of \(2 * heads).")
    }
    guard heads % keyHeads == 0 else {
      throw .inconsistent(
        "model.heads \(heads) is not a multiple of model.kvHeads \(keyHeads), and every key head "
          + "serves the same number of query heads: choose a multiple.")
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
  package var keyWidth: Int { headSize * keyHeads }

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

  /// Hugging Face's architecture of the language model.
  var architecture: String {
    "\(rawValue.prefix(1).uppercased())\(rawValue.dropFirst())ForCausalLM"
  }

  /// True when queries and keys are normalised per head.
  var normalisesHeads: Bool { self == .qwen3 }
}
