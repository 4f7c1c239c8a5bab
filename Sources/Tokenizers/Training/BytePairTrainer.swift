/// Learns the merges of a `BytePairTokenizer` from documents.
///
/// The result is that of Hugging Face's `BpeTrainer` with `ByteLevel.alphabet()` as initial
/// alphabet: special tokens first, the bytes in the order of GPT-2's vocabulary, then one token for
/// each merge; the most frequent pair is merged, equal counts by ascending ids. It does not depend
/// on the order of the documents.
///
///     var trainer = try BytePairTrainer(vocabularySize: 8192)
///     for document in documents { trainer.add(document) }
///     let tokenizer = try trainer.train()
public struct BytePairTrainer: TokenizerTrainer {
  /// How many tokens to make, special tokens and bytes included; fewer if pairs run out.
  public let vocabularySize: Int
  /// A pair that occurs less often is not merged.
  public let minimumFrequency: Int
  /// The special tokens, ids from 0; the first ends a document.
  public let specialTokens: [String]

  private var counts = WordCounts()

  /// A trainer without documents yet.
  ///
  /// Throws `TokenizerError.vocabularyTooSmall` when bytes and special tokens do not fit, and
  /// `TokenizerError.invalidVocabulary` when a special token is there twice or is a byte.
  public init(
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
  public func count(_ document: UnsafeBufferPointer<UInt8>, into counts: inout WordCounts) {
    var scanner = WordScanner(document)
    while let range = scanner.next() {
      counts.add(UnsafeBufferPointer(rebasing: document[range]))
    }
  }

  /// Counts the words of `document`.
  public mutating func add(_ document: UnsafeBufferPointer<UInt8>) {
    count(document, into: &counts)
  }

  /// Counts the words of `document`.
  public mutating func add(_ document: [UInt8]) {
    document.withUnsafeBufferPointer { add($0) }
  }

  /// Counts the words of the UTF-8 form of `document`.
  public mutating func add(_ document: String) {
    var document = document
    document.withUTF8 { add($0) }
  }

  /// The tokenizer of the documents so far.
  public func train() throws(TokenizerError) -> BytePairTokenizer {
    try tokenizer(of: counts)
  }

  /// The tokenizer of the words in `counts`; merging is the work of one thread.
  public func train(
    on counts: WordCounts, threads: Int = 1
  ) throws(TokenizerError) -> any Tokenizer {
    try tokenizer(of: counts)
  }

  private func tokenizer(of counts: WordCounts) throws(TokenizerError) -> BytePairTokenizer {
    var vocabulary = ByteStringTable(capacity: vocabularySize)
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
      // Always a new token: every merge is applied wherever it fits, leftmost first, so equal bytes
      // between token boundaries are cut alike, and no second pair can spell the same token.
      let merged = vocabulary.insert(joined).index
      merges.append(.init(TokenID(pair.left), TokenID(pair.right)))
      training.merge(pair, into: UInt32(merged))
    }
    return try BytePairTokenizer(
      tokens: (0..<vocabulary.count).map { Array(vocabulary[$0]) },
      merges: merges, specialTokens: specialTokens.indices.map { TokenID($0) }, endOfText: 0)
  }

  /// What no merge may make: special tokens, also where their text reads as a spelling.
  private func specialSpellings() -> ByteStringTable {
    var table = ByteStringTable()
    for token in specialTokens {
      _ = table.insert(Array(token.utf8))
      if let bytes = ByteAlphabet.bytes(spelled: token) { _ = table.insert(bytes) }
    }
    return table
  }
}
