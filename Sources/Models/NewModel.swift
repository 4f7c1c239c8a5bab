/// The keys under `model.` from which a family makes a new model.
package struct NewModel: Sendable {
  /// A key that not every family has.
  package enum Key: String, Sendable, CaseIterable {
    case initialStd
    case kvHeads
    case decoderLayers
    case gated
  }

  package var family: ModelFamily
  /// The number of blocks.
  package var layers = 4
  /// The number of query heads.
  package var heads = 4
  /// The number of key and value heads; nil for as many as query heads.
  package var keyHeads: Int?
  /// The width of the residual stream.
  package var width = 128
  /// The width of the feed-forward layers; nil for the family's ratio.
  package var hidden: Int?
  /// The maximum sequence length as configured; nil when the key is absent.
  package var typedContext: Int?
  /// The maximum sequence length of a new model.
  package var context: Int { typedContext ?? 256 }
  /// The dropout probability.
  package var dropout = 0.0
  /// The vocabulary size; nil for the tokenizer's.
  package var vocabulary: Int?
  /// True to tie the head to the token embedding; nil for the family's default.
  package var tied: Bool?
  /// True when the head of the new model is tied to the token embedding.
  package var isTied: Bool { tied ?? family.isTied }
  /// The standard deviation of the initial weights.
  package var initialStd = 0.02
  /// The number of blocks of the decoder of an encoder–decoder; nil for as many as encoder blocks.
  package var decoderLayers: Int?
  /// True for a gated feed-forward where the family has both kinds.
  package var isGated = true

  /// The default sizes.
  package init(family: ModelFamily) {
    self.family = family
  }

  /// Returns the configuration of the model.
  ///
  /// - Parameter ids: The token ids of its tokenizer.
  package func configuration(_ ids: NewModelIds) throws(ModelError) -> any ModelConfiguration {
    try family.configuration.init(self, ids)
  }

  /// Returns the first key that the family does not have, with the reason; nil when all are right.
  ///
  /// - Parameter isChanged: Returns true for a key that has another value than its default.
  package func refusal(_ isChanged: (String) -> Bool) -> (key: String, reason: String)? {
    for key in Key.allCases where !family.keys.contains(key) && isChanged("model.\(key)") {
      return (
        "model.\(key)",
        key == .kvHeads
          ? "\(family.name) has one key head per query head; leave it out"
          : "it has no effect with model.family: \(family.name); leave it out"
      )
    }
    guard tied != false || family.allowsUntiedHead else {
      return ("model.tied", "\(family.name)'s head is its token embedding; leave it out")
    }
    return nil
  }
}

/// The token ids of a new model.
package struct NewModelIds: Sendable {
  /// Number of token ids.
  package let count: Int
  /// The id that ends a document.
  package let endOfText: Int
  /// Returns the id of the special token with this text; nil when there is none.
  package let id: @Sendable (_ special: String) -> Int?

  package init(count: Int, endOfText: Int, id: @escaping @Sendable (_ special: String) -> Int?) {
    self.count = count
    self.endOfText = endOfText
    self.id = id
  }
}
