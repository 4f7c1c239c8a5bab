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
  package var vocabulary = 0
  /// Longest encoder input and decoder input in training, in tokens; the network has no limit.
  package var context = 0
  /// Number of blocks of the encoder.
  package var layers = 0
  /// Number of blocks of the decoder.
  package var decoderLayers = 0
  /// Attention heads per block.
  package var heads = 0
  /// Size of a head.
  package var headSize = 0
  /// Size of the residual stream.
  package var width = 0
  /// Size of the feed-forward's hidden layer.
  package var hidden = 0
  /// Number of buckets of relative positions.
  package var buckets = 32
  /// Distance from which on all positions share the last bucket.
  package var maximumDistance = 128
  /// Dropout rate after embeddings, attention probabilities, activations and sublayers.
  package var dropout: Float = 0
  /// Epsilon of the RMSNorms, added to mean squares.
  package var epsilon: Float = 1e-6
  /// Factor of all initial weights.
  package var initialFactor: Float = 1
  /// True for a gated feed-forward (T5 1.1), false for one with ReLU (T5 1.0).
  package var isGated = true
  /// True when the head is tied to the token embedding (T5 1.0), false for a head of its own (T5
  /// 1.1).
  package var tied = false
  /// True when the head's input is scaled by width^−½ (T5 1.0).
  package var isScaled = false
  /// The decoder's start id, which precedes every target.
  package var start: Int? = 0
  /// The padding id of sources and targets.
  package var padding: Int? = 0
  /// The ids that end sources and targets.
  package var ends = [0]

  package init() {}

  /// A new model's feed-forward layers have 4 × width, and gated ones 8/3 × width rounded up to a
  /// multiple of 16; targets start with the padding id.
  package init(_ model: NewModel, _ ids: NewModelIds) throws(ModelError) {
    (vocabulary, context) = (ids.count, model.context)
    (layers, decoderLayers) = (model.layers, model.decoderLayers ?? model.layers)
    (width, heads) = (model.width, model.heads)
    guard width % heads == 0 else {
      throw .inconsistent(
        "model.width \(width) is not a multiple of model.heads \(heads): choose a multiple.")
    }
    headSize = width / heads
    (isGated, tied, isScaled) = (model.isGated, model.isTied, model.isTied)
    hidden = model.hidden ?? (isGated ? (8 * width / 3 + 15) / 16 * 16 : 4 * width)
    dropout = Float(model.dropout)
    padding = ids.id("<pad>") ?? ids.endOfText
    (start, ends) = (padding, [ids.endOfText])
  }

  package static var prediction: Prediction { .sequenceToSequence }

  package var architecture: Architecture {
    Architecture(family: kind.rawValue.uppercased(), head: "ForConditionalGeneration")
  }

  /// Heads × head size.
  package var keyWidth: Int { heads * headSize }

  /// Standard deviation of the initial weights of layers on the residual stream.
  package var initialStd: Float { initialFactor / Float(width).squareRoot() }

  /// Standard deviation of the initial head, equal to that of the embedding.
  package var headStd: Float { initialFactor }

  /// Factor of the head's input.
  var outputScale: Float { isScaled ? 1 / Float(width).squareRoot() : 1 }

  package var cachedLayers: Int { decoderLayers }

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

  package var untied: (any ModelConfiguration)? {
    var copy = self
    copy.tied = false
    return copy
  }

  package func backbone(_ parameters: Parameters) -> any Backbone { T5(self, parameters) }
}

extension ModelFamily {
  /// T5 and mT5; a new model is a T5.
  package static let t5 = ModelFamily(
    name: "t5", configuration: T5Configuration.self,
    modelTypes: T5Configuration.Kind.allCases.map(\.rawValue),
    weightNames: WeightNames(
      tiesOnlyHead: false, embeddings: ["shared.weight"],
      // The embedding as part of the encoder or the decoder.
      variants: [
        "shared.weight": "encoder.embed_tokens.weight",
        "shared.weight": "decoder.embed_tokens.weight",
      ],
      // A head that was tied to the embedding.
      shared: ["lm_head.weight": "shared.weight"],
      buffers: [".EncDecAttention.relative_attention_bias.weight"]),
    keys: [.decoderLayers, .gated], feedForwardRatio: "8/3 or ungated 4")
}
