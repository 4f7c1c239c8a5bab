/// Learns new tokens for the words that documents use often and a tokenizer splits, as a model that
/// goes on with the language of one domain needs them.
///
/// The old tokens keep their ids; the new ones follow them, and are tokens of the model like others:
/// of WordPiece the word itself, of byte-level BPE the word with the merges that lead to it, behind all
/// others. So a text in which none of the words occurs has the ids that it had, spaces stay where they
/// belong, and what the text before the word is does not matter. Added tokens, the other way that
/// files of tokenizers have, are cut out of the text before words are: a word would lose the space
/// before it, or be found inside another.
///
/// The most frequent words come first, of equal ones that with the lower bytes. A merge makes a token
/// of its own, so that a word of n tokens takes n − 1 of the new ones, fewer where it shares them.
public struct VocabularyExtension: TokenizerTrainer {
  /// The tokenizer that learns.
  public let base: any Tokenizer
  /// How many tokens to make; fewer where words run out.
  public let tokens: Int
  /// A word that occurs less often gets no token.
  public let minimumFrequency: Int

  private let form: Form

  /// How words are cut, and what a token is.
  private enum Form {
    case bytes
    case bytePairs(TokenizationPipeline)
    case wordPieces(TokenizationPipeline, maximumLength: Int)
  }

  /// New tokens for `base`.
  ///
  /// Throws `TokenizerError.unextendable` where its tokens are neither byte-level BPE nor WordPiece.
  public init(
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
  public func count(_ document: UnsafeBufferPointer<UInt8>, into counts: inout WordCounts) {
    switch form {
    case .bytes:
      var scanner = WordScanner(document)
      while let range = scanner.next() {
        add(UnsafeBufferPointer(rebasing: document[range]), to: &counts)
      }
    case .bytePairs(let pipeline), .wordPieces(let pipeline, _):
      var text = NormalizedText(
        Array(String(decoding: document, as: UTF8.self).utf8), offset: 0, tracked: false)
      pipeline.normalizer?.normalize(&text)
      var words = PreTokenizedText(text, isFirst: true)
      pipeline.preTokenizer?.split(&words)
      words.text.bytes.withUnsafeBufferPointer { bytes in
        for word in words.words { add(UnsafeBufferPointer(rebasing: bytes[word]), to: &counts) }
      }
    }
  }

  /// Counts `word` if it is two letters or more, perhaps behind a space.
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

  /// `base` with the new tokens.
  public func train(
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

  /// New merges, and the tokens that they make; ids from the base's size on.
  private typealias Merges = (tokens: [[UInt8]], pairs: [TokenPair])

  /// The merges that make one token of each of `words`, in their order, while there is room.
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
      // What is spelled as an old token but never encoded as it must not come to life.
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

  /// `base`, which has GPT-2's form, with the new tokens and merges.
  private func extended(by new: Merges) throws(TokenizerError) -> any Tokenizer {
    var tokens: [[UInt8]] = []
    for id in 0..<TokenID(base.vocabularySize) { tokens.append(try base.bytes(of: id)) }
    let old = base as? BytePairTokenizer
    return try BytePairTokenizer(
      tokens: tokens + new.tokens,
      merges: (old?.merges ?? [])
        + new.pairs.map { .init(TokenID($0.left), TokenID($0.right)) },
      specialTokens: old?.specialTokens ?? [base.endOfText], endOfText: base.endOfText)
  }
}

/// Merges that come after all others of a tokenizer, applied to what those leave.
private struct AppendedMerges {
  private var ranks = PairTable()
  private var results: [UInt32] = []

  mutating func append(_ pair: TokenPair, _ merged: UInt32) {
    precondition(
      ranks.insert(pair, number: UInt32(results.count)) == UInt32(results.count),
      "a pair is merged twice")
    results.append(merged)
  }

  /// Merges the pair of the lowest rank wherever it stands, from the left, until there is none.
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
