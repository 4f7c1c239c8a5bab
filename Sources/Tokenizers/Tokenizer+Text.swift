extension Tokenizer {
  /// The ids of `bytes`.
  package func encode(_ bytes: [UInt8]) -> [TokenID] {
    bytes.withUnsafeBufferPointer { encode($0) }
  }

  /// The ids of the UTF-8 form of `text`.
  package func encode(_ text: String) -> [TokenID] {
    var text = text
    return text.withUTF8 { encode($0) }
  }

  /// Returns the ids of `text` alone: by default a tokenizer has no post-processor.
  package func encodeWithSpecialTokens(_ text: String) -> [TokenID] { encode(text) }

  /// The special token that begins a text to continue, such as Llama's `<s>`: the first one that the
  /// post-processor adds; nil when it adds none, or the tokenizer is one of masked models.
  package var beginningOfText: TokenID? {
    guard !isOfMaskedModels, let first = encodeWithSpecialTokens("").first, first != endOfText
    else { return nil }
    return first
  }

  /// Returns the ids of `text`, which a model continues, with the tokens that the post-processor adds;
  /// alone where the tokenizer is one of masked models, or has T5's layout, whose end stands after the
  /// inputs of an encoder.
  ///
  /// As in transformers, a tokenizer with `add_eos_token` ends a prompt too.
  package func encode(prompt text: String) -> [TokenID] {
    isOfMaskedModels || isOfEncoders ? encode(text) : encodeWithSpecialTokens(text)
  }

  /// The written form of the tokens that `encode(prompt:)` puts after a text; nil without any.
  package var endOfPrompt: String? {
    guard !isOfMaskedModels, !isOfEncoders else { return nil }
    let added = encodeWithSpecialTokens("")
    let end = added.dropFirst(beginningOfText == nil ? 0 : 1)
    return end.isEmpty ? nil : (try? decode(end)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// True for a tokenizer with a mask and tokens at both ends of a text; Gemma's has a mask too.
  private var isOfMaskedModels: Bool {
    encodeWithSpecialTokens("").count > 1
      && ["[MASK]", "<mask>"].contains { specialToken($0) != nil }
  }

  /// True for a tokenizer of T5's layout, which `apus tokenizer train --kind unigram` makes for every
  /// kind of model.
  private var isOfEncoders: Bool {
    specialToken("<pad>") == 0 && specialToken("</s>") == 1 && encodeWithSpecialTokens("") == [1]
  }

  /// Returns true when the bytes of `id` do not begin with a space.
  package func continuesWord(_ id: TokenID) -> Bool {
    (try? bytes(of: id).first).map { $0 != 0x20 } ?? false
  }

  /// Returns the bytes that `ids` stand for, special tokens in their written form.
  ///
  /// Throws `TokenizerError.unknownID` at the first id outside the vocabulary.
  package func decode(_ ids: some Sequence<TokenID>) throws(TokenizerError) -> [UInt8] {
    try bytes(of: Array(ids))
  }

  /// Returns the concatenated bytes of `ids`.
  package func bytes(of ids: [TokenID]) throws(TokenizerError) -> [UInt8] {
    var bytes: [UInt8] = []
    for id in ids { bytes += try self.bytes(of: id) }
    return bytes
  }

  /// The scanner of all special tokens, collected in O(vocabularySize).
  package var specialTokenScanner: SpecialTokenScanner { SpecialTokenScanner(self) }

  package var unknown: TokenID? { nil }

  package var settings: TokenizerSettings { TokenizerSettings() }

  /// Returns the tokens of `bytes`, each with its own bytes widened to whole characters, as Hugging
  /// Face tokenizers reports them; the text between two special tokens is encoded alone.
  package func encoding(
    of bytes: UnsafeBufferPointer<UInt8>, specialTokensIn places: RangeSet<Int>
  ) -> TokenEncoding {
    var ids: [TokenID] = []
    var plain = 0
    for (id, range) in specialTokenScanner.all(in: bytes, places) {
      ids += encode(UnsafeBufferPointer(rebasing: bytes[plain..<range.lowerBound])) + [id]
      plain = range.upperBound
    }
    ids += encode(UnsafeBufferPointer(rebasing: bytes[plain...]))
    let text = NormalizedText(Array(bytes), offset: 0, tracked: true)
    var place = 0
    let offsets = ids.map { id in
      let start = place
      place += (try? self.bytes(of: id).count) ?? 0
      return text.origin(of: start..<min(place, bytes.count))
    }
    return TokenEncoding(ids: ids, offsets: offsets)
  }

  /// Returns the tokens of the UTF-8 form of `text` with their offsets.
  package func encoding(
    of text: String, specialTokensIn places: RangeSet<Int> = RangeSet()
  ) -> TokenEncoding {
    var text = text
    return text.withUTF8 { encoding(of: $0, specialTokensIn: places) }
  }

  /// Returns the id of the special token written as `text`, in O(vocabularySize).
  package func specialToken(_ text: String) -> TokenID? {
    let bytes = Array(text.utf8)
    return (0..<TokenID(vocabularySize)).first { id in
      isSpecial(id) && (try? self.bytes(of: id)) == bytes
    }
  }
}
