/// Learns the merges of a `BytePairTokenizer` from documents.
///
/// The result equals that of Hugging Face's `BpeTrainer` with `ByteLevel.alphabet()` as initial
/// alphabet: special tokens first, then the bytes in the order of GPT-2's vocabulary, then one
/// token per merge. The most frequent pair is merged first, equal counts in ascending order of ids.
/// The result does not depend on the order of the documents.
package struct BytePairTrainer: TokenizerTrainer {
  /// The number of tokens to learn, including special tokens and bytes; fewer if pairs run out.
  package let vocabularySize: Int
  /// The count below which a pair is not merged.
  package let minimumFrequency: Int
  /// The special tokens, whose ids count from 0; the first ends a document.
  package let specialTokens: [String]

  /// Creates a trainer.
  ///
  /// Throws `TokenizerError.vocabularyTooSmall` when bytes and special tokens do not fit, and
  /// `TokenizerError.invalidVocabulary` when a special token occurs twice or has fewer than two
  /// characters.
  package init(
    vocabularySize: Int, minimumFrequency: Int = 2,
    specialTokens: [String] = [ByteTokenizer.endOfTextToken]
  ) throws(TokenizerError) {
    precondition(!specialTokens.isEmpty, "a trainer needs a special token for the end of text")
    let minimum = 256 + specialTokens.count
    guard vocabularySize >= minimum else {
      throw .vocabularyTooSmall(requested: vocabularySize, minimum: minimum)
    }
    var seen = ByteStringTable()
    for token in specialTokens {
      if token.unicodeScalars.count < 2 {
        throw .invalidVocabulary(.reachableSpecial(token), path: nil)
      }
      if !seen.insert(Array(token.utf8)).inserted {
        throw .invalidVocabulary(.duplicateToken(token), path: nil)
      }
    }
    self.vocabularySize = vocabularySize
    self.minimumFrequency = minimumFrequency
    self.specialTokens = specialTokens
  }

  /// Adds the words of `document` to `counts`.
  package func count(_ document: UnsafeBufferPointer<UInt8>, into counts: inout WordCounts) {
    var scanner = WordScanner(document)
    while let range = scanner.next() {
      counts.add(UnsafeBufferPointer(rebasing: document[range]))
    }
  }

  /// Learns a tokenizer from the words in `counts`; merging uses one thread.
  package func train(
    on counts: WordCounts, threads: Int = 1
  ) throws(TokenizerError) -> any Tokenizer {
    var vocabulary = ByteStringTable()
    for token in specialTokens { _ = vocabulary.insert(Array(token.utf8)) }
    var byteIDs = [UInt32](repeating: 0, count: 256)
    for byte in ByteAlphabet.bytesInOrder {
      byteIDs[Int(byte)] = UInt32(vocabulary.insert([byte]).index)
    }
    var training = MergeTraining(
      words: counts.words, counts: counts.counts, byteIDs: byteIDs)
    var merges: [BytePairTokenizer.Merge] = []
    let specials = specialSpellings()
    while vocabulary.count < vocabularySize,
      let (pair, count) = training.mostFrequentPair(), count >= max(1, minimumFrequency)
    {
      let joined = Array(vocabulary[Int(pair.left)] + vocabulary[Int(pair.right)])
      if specials.find(joined) != nil { continue }
      // The token is always new: every merge is applied wherever it fits, leftmost first, so equal
      // bytes between token boundaries are split alike, and no second pair can spell the same
      // token.
      let merged = vocabulary.insert(joined).index
      merges.append(.init(TokenID(pair.left), TokenID(pair.right)))
      training.merge(pair, into: UInt32(merged))
    }
    return try BytePairTokenizer(
      tokens: (0..<vocabulary.count).map { Array(vocabulary[$0]) },
      merges: merges, specialTokens: specialTokens.indices.map { TokenID($0) }, endOfText: 0)
  }

  /// Returns the byte strings that no merge may produce: the special tokens, and the bytes that
  /// their text spells in the byte alphabet.
  private func specialSpellings() -> ByteStringTable {
    var table = ByteStringTable()
    for token in specialTokens {
      _ = table.insert(Array(token.utf8))
      if let bytes = ByteAlphabet.bytes(spelled: token) { _ = table.insert(bytes) }
    }
    return table
  }
}
