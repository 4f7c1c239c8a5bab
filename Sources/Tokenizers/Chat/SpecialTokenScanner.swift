/// Finds special tokens in the text of a template.
struct SpecialTokenScanner: Sendable {
  /// The special tokens by their first byte, longest first.
  private let tokens: [[(bytes: [UInt8], id: TokenID)]]

  /// Collects the special tokens of `tokenizer` in O(vocabularySize).
  init(_ tokenizer: any Tokenizer) {
    var tokens: [[(bytes: [UInt8], id: TokenID)]] = Array(repeating: [], count: 256)
    for number in 0..<tokenizer.vocabularySize {
      let id = TokenID(number)
      guard tokenizer.isSpecial(id), let bytes = try? tokenizer.bytes(of: id),
        let first = bytes.first
      else { continue }
      tokens[Int(first)].append((bytes, id))
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

  /// Encodes `text`, special tokens as such and the text between them as plain text.
  func ids(of text: String, _ tokenizer: any Tokenizer) -> [TokenID] {
    var ids: [TokenID] = []
    var rest = Array(text.utf8)[...]
    while let (id, range) = first(in: rest) {
      ids += tokenizer.encode(Array(rest[..<range.lowerBound]))
      ids.append(id)
      rest = rest[range.upperBound...]
    }
    return ids + tokenizer.encode(Array(rest))
  }
}
