/// The tokens of one word after the other, as a model appends them.
struct TokenBuffer: Sendable {
  private(set) var ids: [TokenID] = []
  /// The bytes of the text that each token covers; empty unless they are asked for.
  private(set) var ranges: [Range<Int>] = []
  /// Whether ranges are asked for.
  let keepsRanges: Bool
  /// Where the word begins in the text.
  var wordStart = 0

  init(keepsRanges: Bool, capacity: Int) {
    self.keepsRanges = keepsRanges
    ids.reserveCapacity(capacity)
    if keepsRanges { ranges.reserveCapacity(capacity) }
  }

  /// Appends a token that covers the bytes `start..<end` of the word.
  @inline(__always)
  mutating func append(_ id: TokenID, _ start: Int, _ end: Int) {
    ids.append(id)
    if keepsRanges { ranges.append(wordStart + start..<wordStart + end) }
  }

  /// Removes all tokens.
  mutating func removeAll() {
    ids.removeAll(keepingCapacity: true)
    ranges.removeAll(keepingCapacity: true)
  }

  /// Replaces the ranges from number `first` on by what `map` makes of them.
  mutating func mapRanges(from first: Int, _ map: (Range<Int>) -> Range<Int>) {
    guard keepsRanges else { return }
    for index in first..<ranges.count { ranges[index] = map(ranges[index]) }
  }

  /// The tokens as an encoding.
  func encoding(typeID: Int) -> TokenEncoding {
    TokenEncoding(ids: ids, offsets: ranges, typeID: typeID)
  }
}
