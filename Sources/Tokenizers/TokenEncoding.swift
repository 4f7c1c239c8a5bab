/// The tokens of a text with their offsets and types: four arrays of equal length.
package struct TokenEncoding: Sendable, Equatable {
  /// The ids.
  package internal(set) var ids: [TokenID]
  /// The range of UTF-8 bytes of the text that each token stands for, equal to the offsets of
  /// Hugging Face tokenizers; 0..<0 for tokens that a template adds.
  package internal(set) var offsets: [Range<Int>]
  /// The type id of each token, as in BERT's segments: 0 for the first text, 1 for the second.
  package internal(set) var typeIDs: [Int]
  /// For each token, true when a template added it and false when it comes from the text.
  package internal(set) var isAdded: [Bool]

  /// Creates the encoding of tokens found in a text.
  package init(ids: [TokenID], offsets: [Range<Int>], typeID: Int = 0) {
    precondition(
      ids.count == offsets.count, "\(ids.count) tokens with \(offsets.count) offsets")
    self.ids = ids
    self.offsets = offsets
    typeIDs = [Int](repeating: typeID, count: ids.count)
    isAdded = [Bool](repeating: false, count: ids.count)
  }

  /// Creates the encoding of one token that a template adds.
  init(added id: TokenID, typeID: Int) {
    ids = [id]
    offsets = [0..<0]
    typeIDs = [typeID]
    isAdded = [true]
  }

  mutating func append(_ other: TokenEncoding) {
    ids += other.ids
    offsets += other.offsets
    typeIDs += other.typeIDs
    isAdded += other.isAdded
  }

  /// Returns a copy in which every token has the type id `typeID`.
  func withTypeID(_ typeID: Int) -> TokenEncoding {
    var copy = self
    copy.typeIDs = [Int](repeating: typeID, count: ids.count)
    return copy
  }
}
