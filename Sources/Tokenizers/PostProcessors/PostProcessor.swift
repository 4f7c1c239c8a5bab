/// Adds to the tokens of one or two texts what a model wants around them.
protocol PostProcessor: Sendable {
  /// Changes what is known of the tokens of each text, before anything is added; `spaces` says how
  /// many a token of the model has at its ends.
  func prepare(
    _ encodings: inout [TokenEncoding], of texts: [[UInt8]], spaces: (TokenID) -> EdgeSpaces?)

  /// The encodings with the added tokens, still to be joined.
  func addTokens(to encodings: [TokenEncoding]) -> [TokenEncoding]
}

/// How many spaces a token begins and ends with.
struct EdgeSpaces: Sendable, Equatable {
  let leading: Int
  let trailing: Int

  init(leading: Int, trailing: Int) {
    self.leading = leading
    self.trailing = trailing
  }

  /// Those of `text`, in which a space may also be spelled Ġ.
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

/// Several post-processors, one after the other.
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

/// ByteLevel: takes the space at the ends of tokens out of their offsets.
struct ByteLevelPostProcessor: PostProcessor {
  let trimsOffsets: Bool
  /// Whether the first space of a text may be one that was put there.
  let addsPrefixSpace: Bool

  func prepare(
    _ encodings: inout [TokenEncoding], of texts: [[UInt8]], spaces: (TokenID) -> EdgeSpaces?
  ) {
    guard trimsOffsets else { return }
    for index in encodings.indices {
      for (place, id) in encodings[index].ids.enumerated() {
        let offset = encodings[index].offsets[place]
        // An added token is as long as what it was found as.
        let spaces = spaces(id) ?? EdgeSpaces(String(decoding: texts[index][offset], as: UTF8.self))
        if spaces.leading == 0, spaces.trailing == 0 { continue }
        var leading = spaces.leading
        if leading == 1, addsPrefixSpace, place == 0 || offset.lowerBound == 0 { leading = 0 }
        // Counted in characters of the text, whatever stands there.
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

/// TemplateProcessing: tokens around and between the texts, as a template states.
struct TemplatePostProcessor: PostProcessor {
  /// What a template is made of.
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
        index < encodings.count ? [encodings[index].typed(typeID)] : []
      case .tokens(let ids, let typeID):
        ids.map { TokenEncoding(added: $0, typeID: typeID) }
      }
    }
  }
}

/// BertProcessing: `[CLS] A [SEP] B [SEP]`.
struct BertPostProcessor: PostProcessor {
  let separator: TokenID
  let classifier: TokenID

  func addTokens(to encodings: [TokenEncoding]) -> [TokenEncoding] {
    var result = [TokenEncoding(added: classifier, typeID: 0)]
    for (index, encoding) in encodings.enumerated() {
      result += [encoding.typed(index), TokenEncoding(added: separator, typeID: index)]
    }
    return result
  }
}

/// RobertaProcessing: `<s> A </s></s> B </s>`, all of one type.
struct RobertaPostProcessor: PostProcessor {
  let separator: TokenID
  let classifier: TokenID
  let trimming: ByteLevelPostProcessor

  func prepare(
    _ encodings: inout [TokenEncoding], of texts: [[UInt8]], spaces: (TokenID) -> EdgeSpaces?
  ) {
    trimming.prepare(&encodings, of: texts, spaces: spaces)
    encodings = encodings.map { $0.typed(0) }
  }

  func addTokens(to encodings: [TokenEncoding]) -> [TokenEncoding] {
    encodings.enumerated().flatMap { index, encoding in
      [
        TokenEncoding(added: index == 0 ? classifier : separator, typeID: 0),
        encoding.typed(0), TokenEncoding(added: separator, typeID: 0),
      ]
    }
  }
}
