/// The tokens of a text with what is known of each.
public struct TokenEncoding: Sendable, Equatable {
  /// The ids.
  public internal(set) var ids: [TokenID]
  /// The bytes of the text (in UTF-8) that each token stands for, as Hugging Face tokenizers gives
  /// them; 0..<0 for tokens that a template adds.
  public internal(set) var offsets: [Range<Int>]
  /// Which of two texts each token belongs to, as BERT's segments count them.
  public internal(set) var typeIDs: [Int]
  /// Whether each token was added by a template, not found in the text.
  public internal(set) var isAdded: [Bool]

  /// Tokens found in a text.
  public init(ids: [TokenID], offsets: [Range<Int>], typeID: Int = 0) {
    precondition(
      ids.count == offsets.count, "\(ids.count) tokens with \(offsets.count) offsets")
    self.ids = ids
    self.offsets = offsets
    typeIDs = [Int](repeating: typeID, count: ids.count)
    isAdded = [Bool](repeating: false, count: ids.count)
  }

  /// A token that a template adds.
  init(added id: TokenID, typeID: Int) {
    ids = [id]
    offsets = [0..<0]
    typeIDs = [typeID]
    isAdded = [true]
  }

  /// Appends `other`.
  mutating func append(_ other: TokenEncoding) {
    ids += other.ids
    offsets += other.offsets
    typeIDs += other.typeIDs
    isAdded += other.isAdded
  }

  /// The same tokens under another type id.
  func typed(_ typeID: Int) -> TokenEncoding {
    var copy = self
    copy.typeIDs = [Int](repeating: typeID, count: ids.count)
    return copy
  }
}
