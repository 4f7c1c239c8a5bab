import Dispatch
import Files
import Glibc

/// Learns a Unigram tokenizer such as T5's by expectation maximisation (EM) and pruning.
///
/// The steps are those of sentencepiece and of Hugging Face's `UnigramTrainer` (Kudo, 2018). Seed
/// pieces come from a suffix array. Two rounds of EM with a sparse prior, and the removal of the
/// quarter of the pieces whose loss reduces the likelihood least, alternate until 1.1 times the
/// vocabulary is left; the most likely of these are the result. Substrings are weighted by the
/// counts of their words, as in sentencepiece.
///
/// The words are divided into a fixed number of parts, each summed by one thread in order, and the
/// sums are added in order: the bits do not depend on the number of threads.
package struct UnigramTrainer: TokenizerTrainer {
  /// The number of tokens to learn, including special tokens and characters; fewer if pieces run
  /// out.
  package let vocabularySize: Int
  /// The special tokens, whose ids count from 0: padding, end of text, unknown, and others.
  package let specialTokens: [String]

  /// T5's special tokens.
  package static let specialTokens = ["<pad>", "</s>", "<unk>"]
  private static let parts = 16
  private static let emRounds = 2
  private static let shrinkingFactor = 0.75
  /// The expected count below which a piece is dropped.
  private static let threshold = 0.5

  private let counter = WordCounter(
    normalizer: UnicodeFormNormalizer(form: .nfkc),
    preTokenizer: PreTokenizerSequence(preTokenizers: [
      WhitespaceSplitPreTokenizer(),
      MetaspacePreTokenizer(
        replacement: Array("▁".utf8), prependScheme: .always, splits: true),
    ]))

  /// Creates a trainer; `otherSpecialTokens` follow T5's three.
  ///
  /// Throws `TokenizerError.vocabularyTooSmall` when not even the special tokens fit, and
  /// `TokenizerError.invalidVocabulary` when one occurs twice.
  package init(
    vocabularySize: Int, otherSpecialTokens: [String] = []
  ) throws(TokenizerError) {
    specialTokens = Self.specialTokens + otherSpecialTokens
    try specialTokens.checkSpecial(vocabularySize: vocabularySize)
    self.vocabularySize = vocabularySize
  }

  /// Adds the words of `document` to `counts`.
  package func count(_ document: UnsafeBufferPointer<UInt8>, into counts: inout WordCounts) {
    counter.count(document, into: &counts)
  }

  /// A model in training.
  private struct Model {
    var pieces: [[UInt8]]
    var scores: [Double]
  }

  /// Learns a tokenizer from the words in `counts`, bit-identical for any number of threads.
  package func train(
    on counts: WordCounts, threads: Int = 1
  ) throws(TokenizerError) -> any Tokenizer {
    // A zero terminates words in the suffix array, so no word may contain one.
    let words = counts.sorted.filter { !$0.word.contains(0) }
    let seed = UnigramSeed.pieces(of: words)
    let characters = seed.prefix { $0.piece.isOneScalar }.map(\.piece)
    let minimum = characters.count + specialTokens.count
    guard vocabularySize >= minimum else {
      throw .vocabularyTooSmall(requested: vocabularySize, minimum: minimum)
    }
    let total = log(seed.reduce(0) { $0 + $1.weight })
    var model = Model(pieces: seed.map(\.piece), scores: seed.map { log($0.weight) - total })
    let desired = vocabularySize * 11 / 10
    while true {
      for _ in 0..<Self.emRounds {
        maximise(&model, expectations(model, words, threads))
      }
      if model.pieces.count <= desired { break }
      model = prune(model, words, to: desired, threads)
    }
    return try pipeline(model, characters: characters)
  }

  /// Runs `body` for every part of the words, on `threads` threads.
  private func forEachPart(
    of count: Int, _ threads: Int, _ body: @Sendable (_ part: Int, Range<Int>) -> Void
  ) {
    let lanes = max(1, min(threads, Self.parts))
    DispatchQueue.concurrentPerform(iterations: lanes) { lane in
      for part in stride(from: lane, to: Self.parts, by: lanes) {
        body(part, count * part / Self.parts..<count * (part + 1) / Self.parts)
      }
    }
  }

  /// Returns the expected count of each piece (the E step).
  private func expectations(
    _ model: Model, _ words: [(word: [UInt8], count: Int)], _ threads: Int
  ) -> [Double] {
    let lattice = UnigramLattice(model.pieces, scores: model.scores)
    let sums = PartialSums(parts: Self.parts, count: model.pieces.count)
    forEachPart(of: words.count, threads) { part, range in
      sums.fill(part) { expected in
        for (word, count) in words[range] {
          word.withUnsafeBufferPointer {
            lattice.addExpectations(of: $0, count: count, to: &expected)
          }
        }
      }
    }
    return sums.total()
  }

  /// The M step with a sparse prior: digamma instead of the logarithm (Liang and Klein, 2007).
  private func maximise(_ model: inout Model, _ expected: [Double]) {
    let kept = expected.indices.filter { expected[$0] >= Self.threshold }
    let total = Self.digamma(kept.reduce(0) { $0 + expected[$1] })
    model = Model(
      pieces: kept.map { model.pieces[$0] },
      scores: kept.map { Self.digamma(expected[$0]) - total })
  }

  /// Drops the pieces whose replacement by others reduces the likelihood least.
  private func prune(
    _ model: Model, _ words: [(word: [UInt8], count: Int)], to desired: Int, _ threads: Int
  ) -> Model {
    let lattice = UnigramLattice(model.pieces, scores: model.scores)
    let sums = PartialSums(parts: Self.parts, count: model.pieces.count)
    forEachPart(of: words.count, threads) { part, range in
      sums.fill(part) { frequencies in
        for (word, count) in words[range] {
          let best = word.withUnsafeBufferPointer { lattice.best($0).pieces }
          for piece in best where piece >= 0 { frequencies[piece] += Double(count) }
        }
      }
    }
    let frequencies = sums.total()
    let total = frequencies.reduce(0, +)
    let logTotal = log(total)
    let losses = PartialSums(parts: 1, count: model.pieces.count)
    losses.fill(0) { losses in
      for (number, piece) in model.pieces.enumerated() {
        let alternative = piece.withUnsafeBufferPointer {
          lattice.best($0, excludingWhole: true)
        }
        let frequency = frequencies[number]
        if alternative.pieces.isEmpty || alternative.score > model.scores[number] {
          // A piece that others cannot spell is kept; one that others spell with a better score is
          // kept only if a best segmentation contains it.
          losses[number] = alternative.pieces.isEmpty || frequency > 0 ? .infinity : -.infinity
          continue
        }
        guard frequency > 0 else {
          losses[number] = -.infinity
          continue
        }
        let newTotal = log(total + frequency * Double(alternative.pieces.count - 1))
        let others = alternative.pieces.reduce(0.0) { sum, other in
          sum + log((other >= 0 ? frequencies[other] : 0) + frequency) - newTotal
        }
        losses[number] = frequency / total * (log(frequency) - logTotal - others)
      }
    }
    let loss = losses.total()
    let size = max(desired, Int(Double(model.pieces.count) * Self.shrinkingFactor))
    let kept = loss.indices.filter { loss[$0] > -.infinity }
      .sorted { (loss[$1], $0) < (loss[$0], $1) }.prefix(size).sorted()
    return Model(pieces: kept.map { model.pieces[$0] }, scores: kept.map { model.scores[$0] })
  }

  /// Returns ψ(x), computed by recurrence and its asymptotic series.
  static func digamma(_ argument: Double) -> Double {
    var x = argument
    var result = 0.0
    while x < 7 {
      result -= 1 / x
      x += 1
    }
    x -= 0.5
    let square = 1 / (x * x)
    let fourth = square * square
    return result + log(x) + square / 24 - 7.0 / 960 * fourth + 31.0 / 8064 * fourth * square
      - 127.0 / 30720 * fourth * fourth
  }

  /// Builds the tokenizer of all characters and of the most likely other pieces that fit.
  private func pipeline(
    _ model: Model, characters: [[UInt8]]
  ) throws(TokenizerError) -> any Tokenizer {
    var numbers = ByteStringTable(capacity: model.pieces.count)
    for piece in model.pieces { _ = numbers.insert(piece) }
    let lowest = model.scores.min() ?? 0
    var specials = ByteStringTable()
    for token in specialTokens { _ = specials.insert(Array(token.utf8)) }
    var pieces: [(piece: [UInt8], score: Double)] = []
    var penalty = 0.0
    for character in characters {
      if let number = numbers.find(character) {
        pieces.append((character, model.scores[number]))
      } else {
        // The scores stay distinct, as in sentencepiece.
        penalty += 0.0001
        pieces.append((character, lowest - penalty))
      }
    }
    let others = zip(model.pieces, model.scores)
      .filter { !$0.0.isOneScalar && specials.find($0.0) == nil }
      .sorted { $1.1 != $0.1 ? $1.1 < $0.1 : $0.0.lexicographicallyPrecedes($1.0) }
    pieces += others.prefix(vocabularySize - specialTokens.count - pieces.count).map {
      (piece: $0.0, score: $0.1)
    }
    pieces.sort {
      $1.score != $0.score ? $1.score < $0.score : $0.piece.lexicographicallyPrecedes($1.piece)
    }
    let vocabulary =
      specialTokens.map { (piece: $0, score: 0.0) }
      + pieces.map { (String(decoding: $0.piece, as: UTF8.self), $0.score) }
    let metaspace = JSONValue.metaspace()
    let document = JSONValue.tokenizer(
      addedTokens: specialTokens.enumerated().map { .addedToken($1, id: $0) },
      normalizer: ["type": "NFKC"],
      preTokenizer: [
        "type": "Sequence", "pretokenizers": [["type": "WhitespaceSplit"], metaspace],
      ],
      postProcessor: .template(after: [(specialTokens[1], 1)], secondType: 0),
      decoder: metaspace, model: .unigram(vocabulary, unknown: 2))
    return try TokenizationPipeline(
      JSONFile(path: "the trained tokenizer", root: document), endOfText: specialTokens[1])
  }
}

extension [UInt8] {
  /// True when these bytes are the UTF-8 form of one scalar.
  var isOneScalar: Bool {
    withUnsafeBufferPointer { !$0.isEmpty && $0.scalar(at: 0).length == $0.count }
  }
}

/// One array of sums per part of the work; different threads fill them, and they are added in
/// order.
private final class PartialSums: @unchecked Sendable {
  // Unchecked: each part is filled by one thread and read after all have finished.
  private let sums: UnsafeMutableBufferPointer<[Double]>
  private let count: Int

  init(parts: Int, count: Int) {
    self.count = count
    sums = .allocate(capacity: parts)
    sums.initialize(repeating: [])
  }

  deinit {
    sums.deinitialize()
    sums.deallocate()
  }

  /// Fills the sums of `part`, which are initially zero.
  func fill(_ part: Int, _ body: (inout [Double]) -> Void) {
    var values = [Double](repeating: 0, count: count)
    body(&values)
    sums[part] = values
  }

  /// Returns the sum over all parts.
  func total() -> [Double] {
    var total = [Double](repeating: 0, count: count)
    for part in sums where !part.isEmpty {
      for index in total.indices { total[index] += part[index] }
    }
    return total
  }
}
