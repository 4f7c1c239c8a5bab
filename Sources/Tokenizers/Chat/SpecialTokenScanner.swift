/// Finds special tokens in a text.
package struct SpecialTokenScanner: Sendable {
  /// The special tokens by their first byte, longest first.
  private let tokens: [[(bytes: [UInt8], id: TokenID)]]

  /// Collects the special tokens of `tokenizer` in O(vocabularySize).
  init(_ tokenizer: some Tokenizer) {
    self.init(
      (0..<TokenID(tokenizer.vocabularySize)).filter(tokenizer.isSpecial).compactMap { id in
        (try? tokenizer.bytes(of: id)).map { ($0, id) }
      })
  }

  /// A scanner for `specialTokens`, given in their written form.
  init(_ specialTokens: [(bytes: [UInt8], id: TokenID)]) {
    var tokens: [[(bytes: [UInt8], id: TokenID)]] = Array(repeating: [], count: 256)
    for token in specialTokens {
      if let first = token.bytes.first { tokens[Int(first)].append(token) }
    }
    self.tokens = tokens.map { $0.sorted { ($1.bytes.count, $0.id) < ($0.bytes.count, $1.id) } }
  }

  /// Returns the first special token in `text` and its range, the longest at that position; nil
  /// when there is none.
  func first(in text: ArraySlice<UInt8>) -> (id: TokenID, range: Range<Int>)? {
    for start in text.indices {
      let rest = text[start...]
      if let token = tokens[Int(text[start])].first(where: { rest.starts(with: $0.bytes) }) {
        return (token.id, start..<start + token.bytes.count)
      }
    }
    return nil
  }

  /// Returns the special tokens that are written in `text`, in order.
  func all(in text: [UInt8]) -> [(id: TokenID, range: Range<Int>)] {
    text.withUnsafeBufferPointer { all(in: $0, RangeSet(0..<text.count)) }
  }

  /// Returns the special tokens that are written in `text` inside `places`, in order.
  func all(
    in text: UnsafeBufferPointer<UInt8>, _ places: RangeSet<Int>
  ) -> [(id: TokenID, range: Range<Int>)] {
    var found: [(id: TokenID, range: Range<Int>)] = []
    for place in places.ranges {
      var rest = Array(text[place])[...]
      while let (id, range) = first(in: rest) {
        found.append(
          (id, place.lowerBound + range.lowerBound..<place.lowerBound + range.upperBound))
        rest = rest[range.upperBound...]
      }
    }
    return found
  }
}
