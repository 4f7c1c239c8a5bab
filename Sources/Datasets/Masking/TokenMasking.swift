import RandomNumbers
import Tokenizers

/// Token masking for the pretraining of masked language models (BERT, Devlin and others 2018).
///
/// A fraction of the tokens of a row are targets: 80 % of them are masked, 10 % are replaced by a random
/// token, 10 % are left as they are. The choice is a pure function of the random stream: its block p
/// decides for position p of the batch.
package struct TokenMasking: Sendable {
  /// The fraction of the tokens, or of the words, that are targets.
  package let fraction: Float
  /// True when the tokens of a word are targets together (whole-word masking).
  package let wholeWords: Bool
  /// The token that begins a row.
  package let first: TokenID
  /// The token that ends a row.
  package let last: TokenID
  private let mask: TokenID
  /// True for special tokens, which are never targets; indexed by id.
  private let isSpecial: [Bool]
  /// True for tokens that continue the word before them; indexed by id.
  private let continuesWord: [Bool]
  /// The tokens that can replace a target: all but special tokens.
  private let ordinary: [TokenID]

  /// The fraction of the targets that is masked, and the fraction that is masked or replaced.
  private static let (maskedFraction, changedFraction): (Float, Float) = (0.8, 0.9)

  /// The special tokens that a tokenizer must have, by their names in BERT's and RoBERTa's tokenizers.
  package static let specialTokens = (
    first: ["[CLS]", "<s>"], last: ["[SEP]", "</s>"], mask: ["[MASK]", "<mask>"]
  )

  /// Creates the masking for texts of `tokenizer`; nil when it lacks one of the `specialTokens`.
  package init?(_ tokenizer: any Tokenizer, fraction: Float = 0.15, wholeWords: Bool = false) {
    let find = { (names: [String]) in names.lazy.compactMap(tokenizer.specialToken).first }
    guard let first = find(Self.specialTokens.first), let last = find(Self.specialTokens.last),
      let mask = find(Self.specialTokens.mask)
    else { return nil }
    self.fraction = fraction
    self.wholeWords = wholeWords
    (self.first, self.last, self.mask) = (first, last, mask)
    let ids = 0..<TokenID(tokenizer.vocabularySize)
    isSpecial = ids.map(tokenizer.isSpecial)
    continuesWord = ids.map(tokenizer.continuesWord)
    ordinary = ids.filter { !tokenizer.isSpecial($0) }
  }

  /// Chooses the targets of `batch`, at least one per row, and masks, replaces or keeps their inputs.
  func apply(to batch: inout Batch, drawing stream: RandomStream) {
    for i in batch.inputs.indices {
      batch.targets[i] = batch.inputs[i]
      batch.weights[i] = 0
    }
    for row in 0..<batch.sequences {
      let places = row * batch.context..<(row + 1) * batch.context
      let words = words(in: batch, places)
      // If no draw is below the fraction, the least one makes its word a target. Equal least draws,
      // which are improbable, only give more targets.
      let draws = words.map { Self.uniform(stream.block(UInt64($0.lowerBound)).x) }
      let least = draws.min() ?? 1
      for (word, draw) in zip(words, draws)
      where draw < fraction || (draw == least && least >= fraction) {
        for place in word { corrupt(place, of: &batch, stream.block(UInt64(place))) }
      }
    }
  }

  /// Returns the places of each word in `places` for whole-word masking, else of each token; special
  /// tokens are left out.
  private func words(in batch: Batch, _ places: Range<Int>) -> [Range<Int>] {
    var words: [Range<Int>] = []
    for place in places where !isSpecial[Int(batch.inputs[place])] {
      if wholeWords, continuesWord[Int(batch.inputs[place])], let word = words.last,
        word.upperBound == place
      {
        words[words.count - 1] = word.lowerBound..<place + 1
      } else {
        words.append(place..<place + 1)
      }
    }
    return words
  }

  private func corrupt(_ place: Int, of batch: inout Batch, _ random: SIMD4<UInt32>) {
    batch.weights[place] = 1
    let draw = Self.uniform(random.y)
    if draw < Self.maskedFraction {
      batch.inputs[place] = mask
    } else if draw < Self.changedFraction {
      batch.inputs[place] = ordinary[Int((UInt64(random.z) * UInt64(ordinary.count)) >> 32)]
    }
  }

  /// Returns a number in [0, 1) from the 24 high bits of `word`.
  private static func uniform(_ word: UInt32) -> Float { Float(word >> 8) * 0x1p-24 }
}
