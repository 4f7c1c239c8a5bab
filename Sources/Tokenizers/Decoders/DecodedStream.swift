/// The text of a growing list of tokens, in whole characters and as the tokenizer decodes them.
///
/// The end of a text may change with the next token, which completes a character, or makes a run of
/// byte tokens invalid, so that part is held back. Tokens before the stream decide how it begins, since a
/// SentencePiece tokenizer drops the space of a text's first word.
package struct DecodedStream {
  private let tokenizer: any Tokenizer
  private var ids: [TokenID]
  /// The tokens from `start` on are decoded; those before `read` are in the text already.
  private var (start, read): (Int, Int)

  /// A stream that follows the text of `context`, or begins a text.
  package init(_ tokenizer: any Tokenizer, after context: [TokenID] = []) {
    self.tokenizer = tokenizer
    // A character has at most four bytes, each of which may be a token.
    ids = Array(context.suffix(8))
    (start, read) = (0, ids.count)
  }

  /// Returns the text that `id` completes.
  package mutating func append(_ id: TokenID) throws(TokenizerError) -> String {
    ids.append(id)
    let (old, new) = try texts()
    guard new.count > old.count, new.last != "\u{FFFD}", !isByte(id) else { return "" }
    (start, read) = (read, ids.count)
    return String(String.UnicodeScalarView(new.dropFirst(old.count)))
  }

  /// Returns the rest of the text, with U+FFFD for a character that has no end.
  package func rest() throws(TokenizerError) -> String {
    let (old, new) = try texts()
    return String(String.UnicodeScalarView(new.dropFirst(old.count)))
  }

  /// True for a token such as `<0x0A>`, whose text depends on the bytes behind it.
  private func isByte(_ id: TokenID) -> Bool {
    (tokenizer as? TokenizationPipeline).map {
      ByteFallbackDecoder.byte(spelled: $0.vocabulary.spelling(of: id)) != nil
    } ?? false
  }

  /// The text of the tokens from `start` up to `read`, and that of all from `start` on.
  private func texts() throws(TokenizerError) -> (
    old: String.UnicodeScalarView, new: String.UnicodeScalarView
  ) {
    (try text(start..<read), try text(start..<ids.count))
  }

  private func text(_ range: Range<Int>) throws(TokenizerError) -> String.UnicodeScalarView {
    String(decoding: try tokenizer.decode(ids[range]), as: UTF8.self).unicodeScalars
  }
}
