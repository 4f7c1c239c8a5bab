import Layers
import Tensors

/// The configuration of a T5 or mT5.
package struct T5Configuration: ModelConfiguration {
  /// The family: T5 and mT5 differ in their tokenizers and in the defaults of `config.json`.
  package enum Kind: String, Sendable, CaseIterable {
    /// T5 1.0, 1.1, Flan-T5.
    case t5
    case mt5
  }

  /// The family.
  package var kind = Kind.t5
  /// Number of token ids.
  package var vocabulary: Int
  /// Longest encoder input and decoder input in training, in tokens; the network has no limit.
  package var context: Int
  /// Number of blocks of the encoder.
  package var layers: Int
  /// Number of blocks of the decoder.
  package var decoderLayers: Int
  /// Attention heads per block.
  package var heads: Int
  /// Size of a head.
  package var headSize: Int
  /// Size of the residual stream.
  package var width: Int
  /// Size of the feed-forward's hidden layer.
  package var hidden: Int
  /// Number of buckets of relative positions.
  package var buckets = 32
  /// Distance from which on all positions share the last bucket.
  package var maximumDistance = 128
  /// Dropout rate after embeddings, attention probabilities, activations and sublayers.
  package var dropout: Float
  /// Epsilon of the RMSNorms, added to mean squares.
  package var epsilon: Float = 1e-6
  /// Factor of all initial weights.
  package var initialFactor: Float = 1
  /// True for a gated feed-forward (T5 1.1), false for one with ReLU (T5 1.0).
  package var isGated: Bool
  /// True when the head is tied to the token embedding, on hidden states times width^−½ (T5 1.0);
  /// false for a head of its own (T5 1.1).
  package var tied: Bool
  /// The decoder's start id, which precedes every target.
  package var start: Int?
  /// The padding id of sources and targets.
  package var padding: Int?
  /// The id that ends sources and targets.
  package var endOfText: Int

  /// - Parameters:
  ///   - vocabulary: Number of token ids.
  ///   - context: Longest source and target, in tokens.
  ///   - layers: Number of blocks of the encoder.
  ///   - decoderLayers: Number of blocks of the decoder; those of the encoder when nil.
  ///   - heads: Attention heads per block.
  ///   - headSize: Size of a head; width ÷ heads when nil.
  ///   - width: Size of the residual stream.
  ///   - hidden: Size of the feed-forward's hidden layer; when nil, 4 × width, or for a gated one
  ///     8/3 × width rounded up to a multiple of 16.
  ///   - dropout: Dropout rate.
  ///   - isGated: True for a gated feed-forward.
  ///   - tied: True to tie the head to the token embedding; `!isGated` when nil.
  ///   - start: The decoder's start id; `padding` when nil.
  ///   - padding: The padding id.
  ///   - endOfText: The id that ends sources and targets.
  package init(
    vocabulary: Int, context: Int, layers: Int, decoderLayers: Int? = nil, heads: Int,
    headSize: Int? = nil, width: Int, hidden: Int? = nil, dropout: Float = 0,
    isGated: Bool = true, tied: Bool? = nil, start: Int? = nil, padding: Int, endOfText: Int
  ) throws(ModelError) {
    guard headSize != nil || width % heads == 0 else {
      throw .inconsistent(
        "model.width \(width) is not a multiple of model.heads \(heads): choose a multiple.")
    }
    self.vocabulary = vocabulary
    self.context = context
    self.layers = layers
    self.decoderLayers = decoderLayers ?? layers
    self.heads = heads
    self.headSize = headSize ?? width / heads
    self.width = width
    self.hidden = hidden ?? (isGated ? (8 * width / 3 + 15) / 16 * 16 : 4 * width)
    self.dropout = dropout
    self.isGated = isGated
    self.tied = tied ?? !isGated
    self.start = start ?? padding
    self.padding = padding
    self.endOfText = endOfText
  }

  /// Heads × head size.
  package var keyWidth: Int { heads * headSize }

  /// Standard deviation of the initial weights of layers on the residual stream.
  package var initialStd: Float { initialFactor / Float(width).squareRoot() }

  /// Standard deviation of the initial head, equal to that of the embedding.
  package var headStd: Float { initialFactor }

  /// Factor of the head's input.
  var outputScale: Float { tied ? 1 / Float(width).squareRoot() : 1 }

  package var prediction: Prediction { .sequenceToSequence }

  /// Returns the caches of the decoder's self-attentions, then those of its cross-attentions.
  package func caches(sequences: Int, capacity: Int, source: Int, in workspace: Workspace)
    -> [KVCache]
  {
    [capacity, source].flatMap { capacity in
      (0..<decoderLayers).map { _ in
        KVCache(sequences: sequences, capacity: capacity, width: keyWidth, in: workspace)
      }
    }
  }

  package func backbone(_ parameters: Parameters) -> any Backbone { T5(self, parameters) }
}
