extension ChatEncoder {
  /// Throws `TokenizerError.unencodableTemplate` when the tokenizer has no token for text that the
  /// template writes, such as T5's for `<|im_start|>`: the turns could not be told apart.
  ///
  /// White space may be without a token. A template that refuses a question with its answer is not
  /// checked.
  package func requireEncodable() throws(TokenizerError) {
    let turn = Conversation(Message.turnExample)
    guard let unknown = tokenizer.unknown, let pieces = try? render(turn) else { return }
    let (text, places, encoding) = encoding(of: pieces[...])
    for (id, range) in zip(encoding.ids, encoding.offsets) where id == unknown {
      let lost = String(decoding: text[range], as: UTF8.self)
      if places.isSuperset(of: RangeSet(range)), !lost.allSatisfy(\.isWhitespace) {
        throw .unencodableTemplate(name: template.name, text: lost)
      }
    }
  }
}
