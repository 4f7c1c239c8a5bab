import RandomNumbers
import Tokenizers

/// Masked tokens, as BERT is pretrained with them (Devlin and others 2018).
///
/// Of the tokens of a row some are targets; most of these are hidden from the model, some are replaced,
/// some left as they are. The choice is a pure function of the stream that it is drawn from: block p of it decides on position
/// p of the batch.
public struct TokenMasking: Sendable {
  /// Share of the tokens, or of the words, that are targets.
  public let share: Float
  /// Whether the tokens of a word are targets together.
  public let wholeWords: Bool
  /// The token that begins a row.
  public let first: TokenID
  /// The token that ends a row.
  public let last: TokenID
  private let mask: TokenID
  /// By id: special tokens are no targets.
  private let isSpecial: [Bool]
  /// By id: whether a token goes on with the word before it.
  private let continuesWord: [Bool]
  /// What a target may be replaced by.
  private let ordinary: [TokenID]

  /// Of the targets, the share that is hidden and the share that is hidden or replaced.
  private static let (hidden, changed): (Float, Float) = (0.8, 0.9)

  /// What is needed of a tokenizer, in the words of BERT's and of RoBERTa's.
  public static let specialTokens = (
    first: ["[CLS]", "<s>"], last: ["[SEP]", "</s>"], mask: ["[MASK]", "<mask>"]
  )

  /// Masks the texts of `tokenizer`; nil when that lacks one of the `specialTokens`.
  public init?(_ tokenizer: any Tokenizer, share: Float = 0.15, wholeWords: Bool = false) {
    let find = { (names: [String]) in names.lazy.compactMap(tokenizer.specialToken).first }
    guard let first = find(Self.specialTokens.first), let last = find(Self.specialTokens.last),
      let mask = find(Self.specialTokens.mask)
    else { return nil }
    self.share = share
    self.wholeWords = wholeWords
    (self.first, self.last, self.mask) = (first, last, mask)
    let ids = 0..<TokenID(tokenizer.vocabularySize)
    isSpecial = ids.map(tokenizer.isSpecial)
    continuesWord = ids.map(tokenizer.continuesWord)
    ordinary = ids.filter { !tokenizer.isSpecial($0) }
  }

  /// Chooses the targets of `batch`, whose inputs are there, and hides them; one a row at least.
  func apply(to batch: inout Batch, drawing stream: RandomStream) {
    for i in batch.inputs.indices {
      batch.targets[i] = batch.inputs[i]
      batch.weights[i] = 0
    }
    for row in 0..<batch.sequences {
      let places = row * batch.context..<(row + 1) * batch.context
      let words = words(in: batch, places)
      // All draws are different numbers but for a chance that changes nothing: the first is taken.
      let draws = words.map { Self.uniform(stream.block(UInt64($0.lowerBound)).x) }
      let least = draws.min() ?? 1
      for (word, draw) in zip(words, draws) where draw < share || (draw == least && least >= share)
      {
        for place in word { hide(place, of: &batch, stream.block(UInt64(place))) }
      }
    }
  }

  /// The places of each word in `places`, or of each token.
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

  private func hide(_ place: Int, of batch: inout Batch, _ random: SIMD4<UInt32>) {
    batch.weights[place] = 1
    let draw = Self.uniform(random.y)
    if draw < Self.hidden {
      batch.inputs[place] = mask
    } else if draw < Self.changed {
      batch.inputs[place] = ordinary[Int((UInt64(random.z) * UInt64(ordinary.count)) >> 32)]
    }
  }

  /// In [0, 1).
  private static func uniform(_ word: UInt32) -> Float { Float(word >> 8) * 0x1p-24 }
}
