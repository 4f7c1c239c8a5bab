extension TokenizationPipeline {
  /// Returns the tokens of `text`, or of the pair of `text` and `second`, with their offsets.
  ///
  /// - Parameters:
  ///   - addsTokens: True when the post-processor adds its tokens, such as `[CLS]` and `[SEP]`.
  ///   - findsSpecial: True when special tokens written in the text are recognised as such.
  package func encoding(
    of text: String, with second: String? = nil, addsTokens: Bool = true, findsSpecial: Bool = true
  ) -> TokenEncoding {
    let texts = ([text] + (second.map { [$0] } ?? [])).map { Array($0.utf8) }
    var encodings = texts.enumerated().map { index, text in
      let places = findsSpecial ? RangeSet(0..<text.count) : RangeSet()
      let buffer = tokens(of: text, specialTokensIn: places, tracked: true)
      return buffer.encoding(typeID: index)
    }
    if let postProcessor {
      postProcessor.prepare(&encodings, of: texts) { id in
        added.token(id) == nil ? vocabulary.edgeSpaces(of: id) : nil
      }
      if addsTokens { encodings = postProcessor.addTokens(to: encodings) }
    }
    var result = TokenEncoding(ids: [], offsets: [])
    for encoding in encodings { result.append(encoding) }
    return result
  }

  /// Returns the tokens of `bytes` with their offsets, without those that a post-processor adds.
  package func encoding(
    of bytes: UnsafeBufferPointer<UInt8>, specialTokensIn places: RangeSet<Int>
  ) -> TokenEncoding {
    let buffer = tokens(of: Array(bytes), specialTokensIn: places, tracked: true)
    return buffer.encoding(typeID: 0)
  }

  /// Returns the tokens of `bytes`, with ranges (offsets into `bytes`) if `tracked`; special tokens
  /// are found inside `places`, which may only be other than empty if `tracked`.
  func tokens(
    of bytes: [UInt8], specialTokensIn places: RangeSet<Int>, tracked: Bool
  ) -> TokenBuffer {
    var bytes = bytes
    if !usesBytes || normalizer != nil, String(validating: bytes, as: UTF8.self) == nil {
      bytes = Array(String(decoding: bytes, as: UTF8.self).utf8)
    }
    var tokens = TokenBuffer(keepsRanges: tracked, capacity: bytes.count / 4 + 16)
    let found = bytes.withUnsafeBufferPointer {
      added.matches(in: $0, .original) { RangeSet($0).isSubset(of: places) }
    }
    var place = 0
    for (range, token) in found {
      appendText(bytes[place..<range.lowerBound], places, &tokens)
      tokens.append(
        token.id, range.lowerBound - tokens.wordStart, range.upperBound - tokens.wordStart)
      place = range.upperBound
    }
    appendText(bytes[place...], places, &tokens)
    return tokens
  }

  /// Appends the tokens of a stretch of text that holds no added token of the original stage.
  private func appendText(
    _ bytes: ArraySlice<UInt8>, _ places: RangeSet<Int>, _ tokens: inout TokenBuffer
  ) {
    if bytes.isEmpty { return }
    let seeksStart =
      bytes.startIndex == 0 && normalizer != nil && preTokenizer?.readsIsFirst == true
    var text = NormalizedText(
      Array(bytes), offset: bytes.startIndex, tracked: tokens.keepsRanges || seeksStart)
    normalizer?.normalize(&text)
    let found = text.bytes.withUnsafeBufferPointer { bytes in
      added.matches(in: bytes, .normalized) {
        RangeSet(text.origin(of: $0)).isSubset(of: places)
      }
    }
    let isFirst =
      bytes.startIndex == 0
      && !(seeksStart && !text.bytes.isEmpty && text.origin(of: 0..<1).lowerBound > 0)
    if found.isEmpty { return appendWords(of: text, isFirst, &tokens) }
    var place = 0
    for (range, token) in found {
      appendWords(of: text.slice(place..<range.lowerBound), isFirst && place == 0, &tokens)
      let origin = text.origin(of: range)
      tokens.append(
        token.id, origin.lowerBound - tokens.wordStart, origin.upperBound - tokens.wordStart)
      place = range.upperBound
    }
    appendWords(of: text.slice(place..<text.bytes.count), isFirst && place == 0, &tokens)
  }

  /// Appends the tokens of normalized text.
  private func appendWords(
    of text: NormalizedText, _ isFirst: Bool, _ tokens: inout TokenBuffer
  ) {
    if text.bytes.isEmpty { return }
    var words = PreTokenizedText(text, isFirst: isFirst)
    preTokenizer?.split(&words)
    let first = tokens.ids.count
    words.text.bytes.withUnsafeBufferPointer { bytes in
      for word in words.words {
        tokens.wordStart = word.lowerBound
        model.tokenize(UnsafeBufferPointer(rebasing: bytes[word]), into: &tokens)
      }
    }
    tokens.wordStart = 0
    tokens.mapRanges(from: first) { words.text.origin(of: $0) }
  }
}
