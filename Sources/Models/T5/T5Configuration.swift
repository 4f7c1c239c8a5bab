import Layers
import Tensors

/// The sizes of a T5 or an mT5.
public struct T5Configuration: ModelConfiguration {
  /// Which of the two: they differ in their tokenizers, and in what `config.json` leaves out.
  public enum Kind: String, Sendable, CaseIterable {
    /// T5 1.0, 1.1, Flan-T5.
    case t5
    /// mT5.
    case mt5
  }

  /// Which of the two.
  public var kind = Kind.t5
  /// Number of token ids.
  public var vocabulary: Int
  /// Longest source and longest target that it is trained on; the network itself knows none.
  public var context: Int
  /// Number of blocks of the encoder.
  public var layers: Int
  /// Number of blocks of the decoder.
  public var decoderLayers: Int
  /// Attention heads per block.
  public var heads: Int
  /// Size of a head.
  public var headSize: Int
  /// Size of the residual stream.
  public var width: Int
  /// Size of the feed-forward's hidden layer.
  public var hidden: Int
  /// Number of rows of a table of relative positions.
  public var buckets = 32
  /// Distance from which on all share the last of them.
  public var maximumDistance = 128
  /// Share dropped after embeddings, attention probabilities, activations and parts.
  public var dropout: Float
  /// Added to mean squares.
  public var epsilon: Float = 1e-6
  /// Factor of all first weights.
  public var initialFactor: Float = 1
  /// Whether the feed-forward is gated (T5 1.1) or has ReLU (T5 1.0).
  public var isGated: Bool
  /// Whether the head is the token embedding, on hidden states times width^−½ (T5 1.0), or one of its
  /// own (T5 1.1).
  public var tied: Bool
  /// The id that a target begins after.
  public var start: Int?
  /// The id that fills up sources and targets.
  public var padding: Int?
  /// The id that ends sources and targets.
  public var endOfText: Int

  /// - Parameters:
  ///   - vocabulary: Number of token ids.
  ///   - context: Longest source and target.
  ///   - layers: Number of blocks of the encoder.
  ///   - decoderLayers: Number of blocks of the decoder; those of the encoder when nil.
  ///   - heads: Attention heads per block.
  ///   - headSize: Size of a head; width ÷ heads when nil.
  ///   - width: Size of the residual stream.
  ///   - hidden: Size of the feed-forward's hidden layer; 4 × width when nil, 8/3 × width rounded up to
  ///     a multiple of 16 when it is gated.
  ///   - dropout: Share dropped.
  ///   - isGated: Whether the feed-forward is gated.
  ///   - tied: Whether the head is the token embedding; where nil, with a gated feed-forward it is not.
  ///   - start: The id that a target begins after; `padding` when nil.
  ///   - padding: The id that fills up.
  ///   - endOfText: The id that ends sources and targets.
  public init(
    vocabulary: Int, context: Int, layers: Int, decoderLayers: Int? = nil, heads: Int,
    headSize: Int? = nil, width: Int, hidden: Int? = nil, dropout: Float = 0,
    isGated: Bool = true, tied: Bool? = nil, start: Int? = nil, padding: Int, endOfText: Int
  ) throws(ModelError) {
    guard headSize != nil || width % heads == 0 else {
      throw .inconsistent(
        "model.width \(width) does not divide into model.heads \(heads): choose a multiple of it.")
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
  public var keyWidth: Int { heads * headSize }

  /// Standard deviation of the first weights that read the residual stream.
  public var initialDeviation: Float { initialFactor / Float(width).squareRoot() }

  /// Embedding and head begin alike.
  public var headDeviation: Float { initialFactor }

  /// Factor of what the head reads.
  var outputScale: Float { tied ? 1 / Float(width).squareRoot() : 1 }

  /// The tokens of a target.
  public var prediction: Prediction { .target }

  /// Those of the decoder's self-attentions, and behind them those of its cross-attentions.
  public func caches(sequences: Int, capacity: Int, source: Int, in workspace: Workspace)
    -> [KeyValueRows]
  {
    [capacity, source].flatMap { capacity in
      (0..<decoderLayers).map { _ in
        KeyValueRows(sequences: sequences, capacity: capacity, width: keyWidth, in: workspace)
      }
    }
  }

  /// Encoder and decoder without a head.
  public func trunk(_ parameters: Parameters) -> any Trunk { T5(self, parameters) }
}
