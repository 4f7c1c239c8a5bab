/// Learns new tokens for frequent words that a tokenizer splits, for continued pretraining on the
/// language of one domain.
///
/// The old tokens keep their ids and the new ones follow them as ordinary tokens of the model: in
/// WordPiece the word itself, in byte-level BPE the word and the merges that lead to it, after all
/// old merges. Hence a text without any of these words keeps its ids, a word keeps the space before
/// it, and the preceding text does not matter. Added tokens, the alternative in tokenizer files,
/// are matched before the text is split into words: a word would lose the space before it, or match
/// inside another word.
///
/// The most frequent words come first, equal counts in ascending order of their bytes. Every merge
/// adds a token, so that a word of n tokens takes n − 1 new ones, or fewer if it shares merges.
package struct VocabularyExtension: TokenizerTrainer {
  /// The tokenizer to extend.
  package let base: any Tokenizer
  /// The number of tokens to add; fewer if words run out.
  package let tokens: Int
  /// The count below which a word gets no token.
  package let minimumFrequency: Int

  private let form: Form

  /// The kind of the base tokenizer, which decides the splitting into words and the form of a
  /// token.
  private enum Form {
    case bytes
    case bytePairs(TokenizationPipeline)
    case wordPieces(TokenizationPipeline, maximumLength: Int)
  }

  /// Creates a trainer of new tokens for `base`.
  ///
  /// Throws `TokenizerError.unextendable` when `base` is neither byte-level BPE nor WordPiece.
  package init(
    of base: any Tokenizer, tokens: Int, minimumFrequency: Int = 5
  ) throws(TokenizerError) {
    self.base = base
    self.tokens = tokens
    self.minimumFrequency = max(1, minimumFrequency)
    let kind: String
    if let pipeline = base as? TokenizationPipeline {
      let model = pipeline.document["model"]
      kind = model?["type"]?.string ?? "BPE"
      if kind == "WordPiece" {
        form = .wordPieces(
          pipeline, maximumLength: model?["max_input_chars_per_word"]?.integer ?? 100)
        return
      }
      if kind == "BPE", pipeline.usesBytes {
        form = .bytePairs(pipeline)
        return
      }
    } else {
      form = .bytes
      return
    }
    throw .unextendable(kind: kind)
  }

  /// Adds the words of `document` that consist of letters to `counts`.
  package func count(_ document: UnsafeBufferPointer<UInt8>, into counts: inout WordCounts) {
    switch form {
    case .bytes:
      var scanner = WordScanner(document)
      while let range = scanner.next() {
        add(UnsafeBufferPointer(rebasing: document[range]), to: &counts)
      }
    case .bytePairs(let pipeline), .wordPieces(let pipeline, _):
      let counter = WordCounter(
        normalizer: pipeline.normalizer, preTokenizer: pipeline.preTokenizer)
      counter.forEachWord(of: document) { add($0, to: &counts) }
    }
  }

  /// Counts `word` if it consists of two letters or more, optionally after one space.
  private func add(_ word: UnsafeBufferPointer<UInt8>, to counts: inout WordCounts) {
    let classes = CharacterClasses.unicode16
    var place = word.first == 0x20 ? 1 : 0
    var letters = 0
    while place < word.count {
      let (kind, length) = classes.character(at: place, in: word)
      guard kind == .letter else { return }
      place += length
      letters += 1
    }
    if letters > 1 { counts.add(word) }
  }

  /// Returns `base` extended by the new tokens.
  package func train(
    on counts: WordCounts, threads: Int = 1
  ) throws(TokenizerError) -> any Tokenizer {
    let words = counts.sorted.filter { $0.count >= minimumFrequency }
      .enumerated().sorted { ($1.element.count, $0.offset) < ($0.element.count, $1.offset) }
      .map(\.element.word)
    switch form {
    case .bytes:
      let merges = try newMerges(of: words) { $0.withUnsafeBufferPointer(base.encode) }
      return try extended(by: merges)
    case .bytePairs(let pipeline):
      let merges = try newMerges(of: words) { pipeline.modelTokens(of: $0) }
      func spelling(_ id: UInt32) -> String {
        let new = Int(id) - base.vocabularySize
        return ByteAlphabet.spelling(
          of: new < 0 ? pipeline.vocabulary.text(of: TokenID(id)) : merges.tokens[new][...])
      }
      return try pipeline.extended(
        by: merges.tokens.map { ByteAlphabet.spelling(of: $0) },
        merges: merges.pairs.map { (spelling($0.left), spelling($0.right)) })
    case .wordPieces(let pipeline, let maximumLength):
      var spelled = ByteStringTable(capacity: base.vocabularySize)
      for id in 0..<TokenID(base.vocabularySize) {
        _ = spelled.insert(pipeline.vocabulary.spelling(of: id))
      }
      let new = words.filter { word in
        word.count { $0 & 0xC0 != 0x80 } <= maximumLength && spelled.find(word) == nil
      }
      return try pipeline.extended(
        by: new.prefix(tokens).map { String(decoding: $0, as: UTF8.self) }, merges: [])
    }
  }

  /// The new merges and the tokens that result, with ids from the base's size on.
  private typealias Merges = (tokens: [[UInt8]], pairs: [TokenPair])

  /// Returns the merges that turn each of `words`, in order, into one token, while tokens are left.
  private func newMerges(
    of words: [[UInt8]], _ encode: ([UInt8]) -> [TokenID]
  ) throws(TokenizerError) -> Merges {
    let size = UInt32(base.vocabularySize)
    var taken = ByteStringTable(capacity: base.vocabularySize)
    for id in 0..<TokenID(size) { _ = taken.insert(try base.bytes(of: id)) }
    var (table, pairs) = (ByteStringTable(), [TokenPair]())
    var rules = AppendedMerges()
    func bytes(_ id: UInt32) -> [UInt8] {
      id < size ? (try? base.bytes(of: TokenID(id))) ?? [] : Array(table[Int(id - size)])
    }
    for word in words where table.count < tokens {
      var symbols = encode(word).map { UInt32($0) }
      rules.apply(to: &symbols)
      // A merge must not make an old token reachable that encoding has never produced.
      var (start, isFree) = (bytes(symbols[0]), true)
      for symbol in symbols.dropFirst() {
        start += bytes(symbol)
        isFree = isFree && taken.find(start) == nil
      }
      guard symbols.count > 1, isFree, table.count + symbols.count - 1 <= tokens else { continue }
      while symbols.count > 1 {
        let pair = TokenPair(symbols[0], symbols[1])
        let merged = size + UInt32(table.insert(bytes(pair.left) + bytes(pair.right)).index)
        rules.append(pair, merged)
        pairs.append(pair)
        rules.apply(to: &symbols)
      }
    }
    return ((0..<table.count).map { Array(table[$0]) }, pairs)
  }

  /// Returns `base`, which has GPT-2's form, extended by the new tokens and merges.
  private func extended(by new: Merges) throws(TokenizerError) -> any Tokenizer {
    var tokens: [[UInt8]] = []
    for id in 0..<TokenID(base.vocabularySize) { tokens.append(try base.bytes(of: id)) }
    let old = base as? BytePairTokenizer
    var extended = try BytePairTokenizer(
      tokens: tokens + new.tokens,
      merges: (old?.merges ?? [])
        + new.pairs.map { .init(TokenID($0.left), TokenID($0.right)) },
      specialTokens: old?.specialTokens ?? [base.endOfText], endOfText: base.endOfText)
    extended.settings = base.settings
    return extended
  }
}

/// Merges that follow all others of a tokenizer and apply to the symbols that those leave.
private struct AppendedMerges {
  private var ranks = PairTable()
  private var results: [UInt32] = []

  mutating func append(_ pair: TokenPair, _ merged: UInt32) {
    precondition(
      ranks.insert(pair, number: UInt32(results.count)) == UInt32(results.count),
      "a pair is merged twice")
    results.append(merged)
  }

  /// Merges all occurrences of the pair of lowest rank, from the left, until no pair has a merge.
  func apply(to symbols: inout [UInt32]) {
    while true {
      let ranks = symbols.indices.dropLast().map {
        self.ranks.number(of: TokenPair(symbols[$0], symbols[$0 + 1]))
      }
      guard let rank = ranks.min(), rank != PairTable.absent else { return }
      var (merged, place) = ([UInt32](), 0)
      while place < symbols.count {
        if place + 1 < symbols.count, ranks[place] == rank {
          merged.append(results[Int(rank)])
          place += 2
        } else {
          merged.append(symbols[place])
          place += 1
        }
      }
      symbols = merged
    }
  }
}
