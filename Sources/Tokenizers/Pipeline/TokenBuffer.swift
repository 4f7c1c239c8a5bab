/// The buffer to which a model appends the tokens of successive words.
struct TokenBuffer: Sendable {
  private(set) var ids: [TokenID] = []
  /// The range of bytes of the text that each token covers; empty unless `keepsRanges`.
  private(set) var ranges: [Range<Int>] = []
  /// True when the buffer records ranges.
  let keepsRanges: Bool
  /// The offset in the text at which the current word begins.
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

  /// Removes all tokens and keeps the capacity.
  mutating func removeAll() {
    ids.removeAll(keepingCapacity: true)
    ranges.removeAll(keepingCapacity: true)
  }

  /// Applies `map` to the ranges from index `first` on.
  mutating func mapRanges(from first: Int, _ map: (Range<Int>) -> Range<Int>) {
    guard keepsRanges else { return }
    for index in first..<ranges.count { ranges[index] = map(ranges[index]) }
  }

  func encoding(typeID: Int) -> TokenEncoding {
    TokenEncoding(ids: ids, offsets: ranges, typeID: typeID)
  }
}
