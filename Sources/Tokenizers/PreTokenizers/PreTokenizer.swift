/// Splits a text into words; no token reaches across the border of two words.
protocol PreTokenizer: Sendable {
  /// Splits the words of `text` further.
  func split(_ text: inout PreTokenizedText)

  /// True when the words depend on `PreTokenizedText.isFirst`.
  var readsIsFirst: Bool { get }
}

extension PreTokenizer {
  var readsIsFirst: Bool { false }
}

/// A text and the words in it, in order and without overlap; the text between words is dropped.
struct PreTokenizedText: Sendable {
  private(set) var text: NormalizedText
  private(set) var words: [Range<Int>]
  /// True when the text begins with the first character of the original: as in Hugging Face
  /// tokenizers, not where the normalizer has removed that character.
  let isFirst: Bool

  /// Creates a text of one word, which is all of `text`.
  init(_ text: NormalizedText, isFirst: Bool) {
    self.text = text
    self.isFirst = isFirst
    words = text.bytes.isEmpty ? [] : [text.bytes.indices]
  }

  /// Replaces each word by the pieces that `cut` emits for it; empty pieces are dropped.
  mutating func splitWords(
    _ cut: (UnsafeBufferPointer<UInt8>, (Range<Int>) -> Void) -> Void
  ) {
    var pieces: [Range<Int>] = []
    pieces.reserveCapacity(words.count + text.bytes.count / 5)
    text.bytes.withUnsafeBufferPointer { bytes in
      for word in words {
        cut(UnsafeBufferPointer(rebasing: bytes[word])) { piece in
          if piece.isEmpty { return }
          pieces.append(
            word.lowerBound + piece.lowerBound..<word.lowerBound + piece.upperBound)
        }
      }
    }
    words = pieces
  }

  /// Replaces the text by the words that `write` writes for each of its words.
  mutating func rewriteWords(
    _ write: (UnsafeBufferPointer<UInt8>, _ isAtStart: Bool, inout WordWriter) -> Void
  ) {
    var writer = WordWriter(table: text.table(), capacity: text.bytes.count * 5 / 4 + 16)
    text.bytes.withUnsafeBufferPointer { bytes in
      for word in words {
        writer.begin(at: word.lowerBound)
        write(
          UnsafeBufferPointer(rebasing: bytes[word]), isFirst && word.lowerBound == 0, &writer)
        writer.endWord()
      }
    }
    text.replace(with: writer.bytes, origins: writer.origins)
    words = writer.words
  }
}

/// Collects rewritten words with the origin of every byte.
struct WordWriter {
  private let table: [NormalizedText.Origin]?
  private(set) var bytes: [UInt8] = []
  private(set) var origins: [NormalizedText.Origin]?
  private(set) var words: [Range<Int>] = []
  /// The offset of the word being read in the old text, and of the word being written in the new.
  private var source = 0
  private var start = 0

  init(table: [NormalizedText.Origin]?, capacity: Int) {
    self.table = table
    bytes.reserveCapacity(capacity)
    if table != nil { origins = [] }
  }

  mutating func begin(at source: Int) {
    self.source = source
    start = bytes.count
  }

  /// Appends `byte` with the origin of byte `index` of the word being read.
  @inline(__always)
  mutating func write(_ byte: UInt8, from index: Int) {
    bytes.append(byte)
    if let table { origins?.append(table[source + index]) }
  }

  /// Ends the word being written; a word without bytes is dropped.
  mutating func endWord() {
    if bytes.count > start { words.append(start..<bytes.count) }
    start = bytes.count
  }
}

/// Applies several pre-tokenizers in order.
struct PreTokenizerSequence: PreTokenizer {
  let preTokenizers: [any PreTokenizer]

  var readsIsFirst: Bool { preTokenizers.contains { $0.readsIsFirst } }

  func split(_ text: inout PreTokenizedText) {
    for preTokenizer in preTokenizers { preTokenizer.split(&text) }
  }
}
