import Files

/// Learns a WordPiece tokenizer such as BERT's by merging the most frequent pairs.
///
/// The result follows Hugging Face's `WordPieceTrainer`: special tokens first, then the alphabet,
/// then the characters inside words (`##a`), then one token per merge; equal counts are merged in
/// ascending order of ids. That trainer takes characters in the order of a hash table, this one in
/// the order of their scalars.
package struct WordPieceTrainer: TokenizerTrainer {
  /// The number of tokens to learn, including special tokens and characters; fewer if pairs run
  /// out.
  package let vocabularySize: Int
  /// The count below which a pair is not merged.
  package let minimumFrequency: Int
  /// The special tokens, whose ids count from 0: padding, unknown, classifier, separator, mask, and
  /// others.
  package let specialTokens: [String]
  /// True when words are lowercased and lose their accents, as in BERT uncased.
  package let lowercases: Bool

  /// BERT's special tokens.
  package static let specialTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
  /// The greatest number of characters in the alphabet; the most frequent are kept.
  private static let alphabetLimit = 1000
  private static let prefix = Array("##".utf8)

  private let counter: WordCounter

  /// Creates a trainer; `otherSpecialTokens` follow BERT's five.
  ///
  /// Throws `TokenizerError.vocabularyTooSmall` when not even the special tokens fit, and
  /// `TokenizerError.invalidVocabulary` when one occurs twice.
  package init(
    vocabularySize: Int, minimumFrequency: Int = 2, lowercases: Bool = true,
    otherSpecialTokens: [String] = []
  ) throws(TokenizerError) {
    specialTokens = Self.specialTokens + otherSpecialTokens
    try specialTokens.checkSpecial(vocabularySize: vocabularySize)
    self.vocabularySize = vocabularySize
    self.minimumFrequency = minimumFrequency
    self.lowercases = lowercases
    counter = WordCounter(
      normalizer: BertNormalizer(
        cleansText: true, separatesChinese: true, stripsAccents: lowercases,
        lowercases: lowercases),
      preTokenizer: BertPreTokenizer())
  }

  /// Adds the words of `document` to `counts`.
  package func count(_ document: UnsafeBufferPointer<UInt8>, into counts: inout WordCounts) {
    counter.count(document, into: &counts)
  }

  /// Learns a tokenizer from the words in `counts`; merging uses one thread.
  package func train(
    on counts: WordCounts, threads: Int = 1
  ) throws(TokenizerError) -> any Tokenizer {
    var vocabulary = ByteStringTable()
    for token in specialTokens { _ = vocabulary.insert(Array(token.utf8)) }
    let words = counts.sorted
    let alphabet = Self.alphabet(of: words)
    for scalar in alphabet.all { _ = vocabulary.insert(Self.token(scalar, isInside: false)) }
    for scalar in alphabet.inside { _ = vocabulary.insert(Self.token(scalar, isInside: true)) }
    guard vocabulary.count <= vocabularySize else {
      throw .vocabularyTooSmall(requested: vocabularySize, minimum: vocabulary.count)
    }
    var training = MergeTraining(counts: words.map(\.count)) { index, symbols in
      var isInside = false
      for scalar in String(decoding: words[index].word, as: UTF8.self).unicodeScalars {
        // A character outside the alphabet is skipped.
        let token = Self.token(scalar.value, isInside: isInside)
        if let id = vocabulary.find(token) { symbols.append(UInt32(id)) }
        isInside = true
      }
    }
    while vocabulary.count < vocabularySize,
      let (pair, count) = training.mostFrequentPair(), count >= max(1, minimumFrequency)
    {
      let right = vocabulary[Int(pair.right)]
      let hasPrefix = right.starts(with: Self.prefix)
      let joined = vocabulary[Int(pair.left)] + right.dropFirst(hasPrefix ? Self.prefix.count : 0)
      training.merge(pair, into: UInt32(vocabulary.insert(Array(joined)).index))
    }
    return try pipeline(vocabulary)
  }

  /// Returns the characters of `words` in the order of their scalars, and those of them that occur
  /// inside words.
  private static func alphabet(
    of words: [(word: [UInt8], count: Int)]
  ) -> (all: [UInt32], inside: [UInt32]) {
    var counts: [UInt32: Int] = [:]
    var inside: Set<UInt32> = []
    for (word, count) in words {
      for (place, scalar) in String(decoding: word, as: UTF8.self).unicodeScalars.enumerated() {
        counts[scalar.value, default: 0] += count
        if place > 0 { inside.insert(scalar.value) }
      }
    }
    let kept = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(alphabetLimit)
    let all = kept.map(\.key).sorted()
    return (all, all.filter { inside.contains($0) })
  }

  private static func token(_ scalar: UInt32, isInside: Bool) -> [UInt8] {
    var token: [UInt8] = isInside ? prefix : []
    token.append(scalar: scalar)
    return token
  }

  private func pipeline(_ vocabulary: ByteStringTable) throws(TokenizerError) -> any Tokenizer {
    let document = JSONValue.bert(
      vocabulary: (0..<vocabulary.count).map { String(decoding: vocabulary[$0], as: UTF8.self) },
      specialTokens: specialTokens.enumerated().map { ($1, $0) }, lowercases: .bool(lowercases))
    return try TokenizationPipeline(
      JSONFile(path: "the trained tokenizer", root: document), endOfText: specialTokens[3])
  }
}

extension [String] {
  /// Throws unless these special tokens are distinct and leave room in the vocabulary.
  func checkSpecial(vocabularySize: Int) throws(TokenizerError) {
    guard vocabularySize > count else {
      throw .vocabularyTooSmall(requested: vocabularySize, minimum: count + 1)
    }
    var seen = ByteStringTable()
    for token in self where !seen.insert(Array<UInt8>(token.utf8)).inserted {
      throw .invalidVocabulary(.duplicateToken(token), path: nil)
    }
  }
}
