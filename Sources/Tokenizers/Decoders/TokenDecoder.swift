/// Turns the spellings of tokens into text.
protocol TokenDecoder: Sendable {
  /// Changes `pieces`; the result of the last decoder is concatenated.
  func decode(_ pieces: inout [[UInt8]])

  /// The largest factor by which a tokenizer's file makes it lengthen a token.
  var growth: Double { get }
}

extension TokenDecoder {
  var growth: Double { 1 }
}

/// Applies several decoders in order.
struct DecoderSequence: TokenDecoder {
  let decoders: [any TokenDecoder]

  var growth: Double { decoders.reduce(1) { $0 * $1.growth } }

  func decode(_ pieces: inout [[UInt8]]) {
    for decoder in decoders { decoder.decode(&pieces) }
  }
}

/// ByteLevel: converts tokens spelled in GPT-2's alphabet to bytes; other tokens stay unchanged.
struct ByteLevelDecoder: TokenDecoder {
  func decode(_ pieces: inout [[UInt8]]) {
    var bytes: [UInt8] = []
    for piece in pieces {
      bytes += ByteAlphabet.bytes(spelled: String(decoding: piece, as: UTF8.self)) ?? piece
    }
    pieces = [bytes]
  }
}

/// Fuse: joins all tokens.
struct FuseDecoder: TokenDecoder {
  func decode(_ pieces: inout [[UInt8]]) {
    pieces = [Array(pieces.joined())]
  }
}

/// ByteFallback: replaces a run of `<0x…>` by the text of its bytes, or by one U+FFFD per byte when
/// they are not valid UTF-8.
struct ByteFallbackDecoder: TokenDecoder {
  func decode(_ pieces: inout [[UInt8]]) {
    var result: [[UInt8]] = []
    var bytes: [UInt8] = []
    func flush() {
      if bytes.isEmpty { return }
      if String(validating: bytes, as: UTF8.self) != nil {
        result.append(bytes)
      } else {
        result += repeatElement(Array("\u{FFFD}".utf8), count: bytes.count)
      }
      bytes = []
    }
    for piece in pieces {
      if let byte = Self.byte(spelled: piece) {
        bytes.append(byte)
      } else {
        flush()
        result.append(piece)
      }
    }
    flush()
    pieces = result
  }

  /// Returns the byte that `<0x…>` stands for; nil when `piece` has another form.
  static func byte(spelled piece: [UInt8]) -> UInt8? {
    guard piece.count == 6, piece.starts(with: "<0x".utf8), piece[5] == UInt8(ascii: ">") else {
      return nil
    }
    return UInt8(String(decoding: piece[3..<5], as: UTF8.self), radix: 16)
  }
}

/// Metaspace: replaces `▁` by a space, or removes it in the first token if `dropsFirst`.
struct MetaspaceDecoder: TokenDecoder {
  let replacement: [UInt8]
  let dropsFirst: Bool

  func decode(_ pieces: inout [[UInt8]]) {
    for index in pieces.indices {
      let space: [UInt8] = index == 0 && dropsFirst ? [] : [0x20]
      pieces[index] = pieces[index].replacing(replacement, with: space)
    }
  }
}

/// Replace: substitutes a text for every match of a pattern.
struct ReplaceDecoder: TokenDecoder {
  let pattern: TextPattern
  let content: [UInt8]

  var growth: Double { pattern.growth(replacedBy: content) }

  func decode(_ pieces: inout [[UInt8]]) {
    for index in pieces.indices {
      let matches = pieces[index].withUnsafeBufferPointer { pattern.matches(in: $0) }
      pieces[index] = pieces[index].replacing(matches, with: content)
    }
  }
}

/// Strip: removes up to `left` and `right` occurrences of a text at the ends of each token.
struct StripDecoder: TokenDecoder {
  let content: [UInt8]
  let left: Int
  let right: Int

  func decode(_ pieces: inout [[UInt8]]) {
    for index in pieces.indices {
      var piece = pieces[index][...]
      var (start, end) = (left, right)
      while start > 0, !content.isEmpty, piece.starts(with: content) {
        piece = piece.dropFirst(content.count)
        start -= 1
      }
      while end > 0, !content.isEmpty, piece.suffix(content.count).elementsEqual(content) {
        piece = piece.dropLast(content.count)
        end -= 1
      }
      pieces[index] = Array(piece)
    }
  }
}

/// WordPiece: removes the prefix of continuations, and puts a space before every other token but
/// the first.
struct WordPieceDecoder: TokenDecoder {
  let prefix: [UInt8]
  let cleansUp: Bool

  func decode(_ pieces: inout [[UInt8]]) {
    for index in pieces.indices {
      if index > 0 {
        if pieces[index].starts(with: prefix) {
          pieces[index].removeFirst(prefix.count)
        } else {
          pieces[index].insert(0x20, at: 0)
        }
      }
      if cleansUp { Self.cleanUp(&pieces[index]) }
    }
  }

  /// The replacements that undo the splitting of English punctuation, in the order of Hugging Face
  /// tokenizers.
  private static let repairs: [(old: [UInt8], new: [UInt8])] = [
    (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"),
    (" 'm", "'m"), (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
  ].map { (Array($0.utf8), Array($1.utf8)) }

  private static func cleanUp(_ piece: inout [UInt8]) {
    guard piece.contains(0x20) else { return }
    for (old, new) in repairs { piece = piece.replacing(old, with: new) }
  }
}

extension [UInt8] {
  /// Returns a copy in which `new` replaces every occurrence of `old`, from the left without
  /// overlap.
  func replacing(_ old: [UInt8], with new: [UInt8]) -> [UInt8] {
    replacing(withUnsafeBufferPointer { TextPattern.text(old).matches(in: $0) }, with: new)
  }

  /// Returns a copy in which `new` replaces each of `ranges`, which are in ascending order.
  func replacing(_ ranges: [Range<Int>], with new: [UInt8]) -> [UInt8] {
    if ranges.isEmpty { return self }
    var result: [UInt8] = []
    var place = 0
    for range in ranges {
      result += self[place..<range.lowerBound]
      result += new
      place = range.upperBound
    }
    return result + self[place...]
  }
}
