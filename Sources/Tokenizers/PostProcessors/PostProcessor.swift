/// Adds special tokens around the tokens of one text or a pair, as the model requires.
protocol PostProcessor: Sendable {
  /// Adjusts offsets and type ids of each text's tokens before special tokens are added.
  ///
  /// `spaces` returns the number of spaces at the ends of a token of the model, nil for added
  /// tokens.
  func prepare(
    _ encodings: inout [TokenEncoding], of texts: [[UInt8]], spaces: (TokenID) -> EdgeSpaces?)

  /// Returns the encodings with the added tokens, in order and not yet joined.
  func addTokens(to encodings: [TokenEncoding]) -> [TokenEncoding]
}

/// The numbers of spaces at the beginning and the end of a token.
struct EdgeSpaces: Sendable, Equatable {
  let leading: Int
  let trailing: Int

  init(leading: Int, trailing: Int) {
    self.leading = leading
    self.trailing = trailing
  }

  /// Counts the spaces at the ends of `text`, in which Ġ also counts as a space.
  init(_ text: String) {
    func isSpace(_ scalar: Unicode.Scalar) -> Bool {
      scalar == "\u{120}" || isWhiteSpace(scalar.value)
    }
    leading = text.unicodeScalars.prefix(while: isSpace).count
    trailing = text.unicodeScalars.reversed().prefix(while: isSpace).count
  }
}

extension PostProcessor {
  func prepare(
    _ encodings: inout [TokenEncoding], of texts: [[UInt8]], spaces: (TokenID) -> EdgeSpaces?
  ) {}

  func addTokens(to encodings: [TokenEncoding]) -> [TokenEncoding] { encodings }
}

/// Applies several post-processors in order.
struct PostProcessorSequence: PostProcessor {
  let postProcessors: [any PostProcessor]

  func prepare(
    _ encodings: inout [TokenEncoding], of texts: [[UInt8]], spaces: (TokenID) -> EdgeSpaces?
  ) {
    for postProcessor in postProcessors {
      postProcessor.prepare(&encodings, of: texts, spaces: spaces)
    }
  }

  func addTokens(to encodings: [TokenEncoding]) -> [TokenEncoding] {
    postProcessors.reduce(encodings) { $1.addTokens(to: $0) }
  }
}

/// ByteLevel: excludes the spaces at the ends of tokens from their offsets.
struct ByteLevelPostProcessor: PostProcessor {
  let trimsOffsets: Bool
  /// True when the first space of a text may have been added by the pre-tokenizer.
  let addsPrefixSpace: Bool

  func prepare(
    _ encodings: inout [TokenEncoding], of texts: [[UInt8]], spaces: (TokenID) -> EdgeSpaces?
  ) {
    guard trimsOffsets else { return }
    for index in encodings.indices {
      for (place, id) in encodings[index].ids.enumerated() {
        let offset = encodings[index].offsets[place]
        // The spaces of an added token are those of the text that it matched.
        let spaces = spaces(id) ?? EdgeSpaces(String(decoding: texts[index][offset], as: UTF8.self))
        if spaces.leading == 0, spaces.trailing == 0 { continue }
        var leading = spaces.leading
        if leading == 1, addsPrefixSpace, place == 0 || offset.lowerBound == 0 { leading = 0 }
        // The counts are applied as characters of the text, whatever these are.
        var start = offset.lowerBound
        var end = offset.upperBound
        texts[index].withUnsafeBufferPointer { text in
          for _ in 0..<leading where start < end { start += text.scalar(at: start).length }
          start = min(start, end)
          for _ in 0..<spaces.trailing where end > start {
            end = max(start, end - text.scalar(endingAt: end).length)
          }
        }
        encodings[index].offsets[place] = start..<end
      }
    }
  }
}

/// TemplateProcessing: adds tokens around and between the texts by a template.
struct TemplatePostProcessor: PostProcessor {
  /// One element of a template.
  enum Piece: Sendable {
    /// The first text (0) or the second (1).
    case text(Int, typeID: Int)
    case tokens([TokenID], typeID: Int)
  }

  let single: [Piece]
  let pair: [Piece]

  func addTokens(to encodings: [TokenEncoding]) -> [TokenEncoding] {
    (encodings.count == 1 ? single : pair).flatMap { piece in
      switch piece {
      case .text(let index, let typeID):
        index < encodings.count ? [encodings[index].withTypeID(typeID)] : []
      case .tokens(let ids, let typeID):
        ids.map { TokenEncoding(added: $0, typeID: typeID) }
      }
    }
  }
}

/// BertProcessing: `[CLS] A [SEP] B [SEP]`; B and its `[SEP]` have type id 1.
struct BertPostProcessor: PostProcessor {
  let separator: TokenID
  let classifier: TokenID

  func addTokens(to encodings: [TokenEncoding]) -> [TokenEncoding] {
    var result = [TokenEncoding(added: classifier, typeID: 0)]
    for (index, encoding) in encodings.enumerated() {
      result += [encoding.withTypeID(index), TokenEncoding(added: separator, typeID: index)]
    }
    return result
  }
}

/// RobertaProcessing: `<s> A </s></s> B </s>`, all with type id 0.
struct RobertaPostProcessor: PostProcessor {
  let separator: TokenID
  let classifier: TokenID
  let trimming: ByteLevelPostProcessor

  func prepare(
    _ encodings: inout [TokenEncoding], of texts: [[UInt8]], spaces: (TokenID) -> EdgeSpaces?
  ) {
    trimming.prepare(&encodings, of: texts, spaces: spaces)
    encodings = encodings.map { $0.withTypeID(0) }
  }

  func addTokens(to encodings: [TokenEncoding]) -> [TokenEncoding] {
    encodings.enumerated().flatMap { index, encoding in
      [
        TokenEncoding(added: index == 0 ? classifier : separator, typeID: 0),
        encoding.withTypeID(0), TokenEncoding(added: separator, typeID: 0),
      ]
    }
  }
}
