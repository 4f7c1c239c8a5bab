/// Byte-pair encoding over bytes (GPT-2) or over characters (sentencepiece), with the options of
/// Hugging Face tokenizers.
struct BytePairModel: TokenizerModel {
  /// The options of a model beside its vocabulary and merges.
  struct Options: Sendable {
    /// True when the symbols of a word are its bytes, as after ByteLevel, and not its characters.
    var usesBytes = false
    /// The id of characters without a symbol; nil when they are omitted.
    var unknown: TokenID?
    /// True when adjacent characters without a symbol become one unknown token.
    var fusesUnknown = false
    /// True when a character without a symbol becomes one token `<0x…>` for each of its bytes.
    var fallsBackToBytes = false
    /// True when a word that is a token becomes that token, whatever the merges yield.
    var ignoresMerges = false
  }

  private let vocabulary: Vocabulary
  private let rules: MergeRules
  private let options: Options
  /// The symbol of each byte, or of each ASCII character; `absent` for none.
  private let symbols: [UInt32]
  private let byteTokens: [TokenID]?
  /// True when some byte has no token.
  private let hasGaps: Bool
  /// The number of bytes of a word that each token covers; 0 for the unknown token, whose length
  /// varies.
  private let lengths: [Int32]
  /// For each token, true when merging its own text yields it: a word equal to it needs no merging.
  private var isWholeWord: [Bool]
  /// The UTF-8 form of a character across whose left border no merge reaches; nil when there is
  /// none.
  ///
  /// Words are split there before merging.
  private let boundary: [UInt8]?

  var unknown: TokenID? { options.unknown }

  private static let absent = PairTable.absent

  /// Creates a model of `vocabulary` with `size` ids and the merges `rules`.
  init(vocabulary: Vocabulary, size: Int, rules: MergeRules, options: Options) {
    self.vocabulary = vocabulary
    self.rules = rules
    self.options = options
    let byteTokens = vocabulary.byteTokens
    self.byteTokens = options.fallsBackToBytes ? byteTokens : nil
    symbols = (UInt8.min...UInt8.max).map { byte in
      if !options.usesBytes, byte >= 0x80 { return Self.absent }
      return vocabulary.id(of: [byte]).map { UInt32($0) } ?? Self.absent
    }
    hasGaps = options.usesBytes && symbols.contains(Self.absent)
    var lengths = (0..<size).map { Int32(vocabulary.token(TokenID($0))?.count ?? 0) }
    for id in self.byteTokens ?? [] where id >= 0 { lengths[Int(id)] = 1 }
    if let unknown = options.unknown { lengths[Int(unknown)] = 0 }
    self.lengths = lengths
    boundary = options.usesBytes ? nil : Self.boundary(of: rules, vocabulary)
    isWholeWord = []
    if options.ignoresMerges { return }
    var tokens = TokenBuffer(keepsRanges: false, capacity: 64)
    isWholeWord = (0..<size).map { id in
      guard let token = vocabulary.token(TokenID(id)), !token.isEmpty else { return false }
      tokens.removeAll()
      token.withUnsafeBufferPointer { merge($0, 0, into: &tokens) }
      return tokens.ids == [TokenID(id)] && lengths[id] == token.count
    }
  }

  /// Returns `▁` if it is a token and no merge result contains it after another character.
  private static func boundary(of rules: MergeRules, _ vocabulary: Vocabulary) -> [UInt8]? {
    let mark = Array("▁".utf8)
    guard vocabulary.id(of: mark) != nil else { return nil }
    for id in rules.results {
      guard let token = vocabulary.token(TokenID(bitPattern: id)) else { continue }
      var rest = token
      while rest.starts(with: mark) { rest = rest.dropFirst(mark.count) }
      let bytes = Array(rest)
      let holdsMark = bytes.withUnsafeBufferPointer { bytes in
        bytes.indices.contains { bytes[$0...].starts(with: mark) }
      }
      if holdsMark { return nil }
    }
    return mark
  }

  func tokenize(_ word: UnsafeBufferPointer<UInt8>, into tokens: inout TokenBuffer) {
    guard let boundary, !options.ignoresMerges else { return merge(word, 0, into: &tokens) }
    let width = boundary.count
    var start = 0
    var index = 1
    while index < word.count {
      if word[index] == boundary[0], word[index...].starts(with: boundary),
        index < width || !word[(index - width)...].starts(with: boundary)
      {
        merge(UnsafeBufferPointer(rebasing: word[start..<index]), start, into: &tokens)
        start = index
      }
      index += 1
    }
    merge(UnsafeBufferPointer(rebasing: word[start...]), start, into: &tokens)
  }

  /// Appends the tokens of the part of a word that begins at `offset`.
  private func merge(
    _ word: UnsafeBufferPointer<UInt8>, _ offset: Int, into tokens: inout TokenBuffer
  ) {
    if let id = vocabulary.id(of: word),
      options.ignoresMerges || !isWholeWord.isEmpty && isWholeWord[Int(id)]
    {
      return tokens.append(id, offset, offset + word.count)
    }
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 2 * word.count) { scratch in
      let parts = UnsafeMutableBufferPointer(rebasing: scratch[..<word.count])
      var unknownLengths: [Int] = []
      var count = fill(parts, with: word, &unknownLengths)
      let pairRanks = UnsafeMutableBufferPointer(rebasing: scratch[word.count...])
      count = rules.merge(parts, count: count, scratch: pairRanks)
      var unknowns = unknownLengths.makeIterator()
      if tokens.keepsRanges, options.usesBytes, options.unknown == nil, hasGaps {
        return appendSpelled(parts[..<count], word, offset, into: &tokens)
      }
      var start = offset
      for symbol in parts[..<count] {
        let id = TokenID(bitPattern: symbol)
        var length = Int(lengths[Int(id)])
        if id == options.unknown { length = unknowns.next() ?? length }
        tokens.append(id, start, start + length)
        start += length
      }
    }
  }

  /// Writes the symbols of `word` to `parts` and returns their number.
  private func fill(
    _ parts: UnsafeMutableBufferPointer<UInt32>, with word: UnsafeBufferPointer<UInt8>,
    _ unknownLengths: inout [Int]
  ) -> Int {
    var count = 0
    var index = 0
    var lastIsUnknown = false
    while index < word.count {
      let length = options.usesBytes ? 1 : word.scalar(at: index).length
      var symbol = symbols[Int(word[index])]
      if length > 1 {
        let character = UnsafeBufferPointer(rebasing: word[index..<index + length])
        symbol = vocabulary.id(of: character).map { UInt32($0) } ?? Self.absent
      }
      if symbol != Self.absent {
        parts[count] = symbol
        count += 1
        lastIsUnknown = false
      } else if let byteTokens,
        !word[index..<index + length].contains(where: { byteTokens[Int($0)] < 0 })
      {
        for byte in word[index..<index + length] {
          parts[count] = UInt32(bitPattern: byteTokens[Int(byte)])
          count += 1
        }
        lastIsUnknown = false
      } else if let unknown = options.unknown {
        if lastIsUnknown, options.fusesUnknown {
          unknownLengths[unknownLengths.count - 1] += length
        } else {
          parts[count] = UInt32(bitPattern: unknown)
          count += 1
          unknownLengths.append(length)
          lastIsUnknown = true
        }
      }
      index += length
    }
    return count
  }

  /// Appends the tokens of a word whose bytes without a token may have been omitted.
  ///
  /// Hugging Face tokenizers computes these ranges as if no byte were missing, in the UTF-8 form of
  /// the byte alphabet, in which a visible ASCII character takes one byte and any other takes two.
  private func appendSpelled(
    _ parts: Slice<UnsafeMutableBufferPointer<UInt32>>, _ word: UnsafeBufferPointer<UInt8>,
    _ offset: Int, into tokens: inout TokenBuffer
  ) {
    func width(_ byte: UInt8) -> Int { (0x21...0x7E).contains(byte) ? 1 : 2 }
    // The index of the word's byte to which each byte of its spelling belongs.
    var sources: [Int] = []
    for (index, byte) in word.enumerated() {
      sources.append(contentsOf: repeatElement(index, count: width(byte)))
    }
    var place = 0
    for symbol in parts {
      let id = TokenID(bitPattern: symbol)
      let end = place + (vocabulary.token(id) ?? []).reduce(0) { $0 + width($1) }
      tokens.append(id, offset + sources[place], offset + sources[end - 1] + 1)
      place = end
    }
  }
}
