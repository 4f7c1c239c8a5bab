/// Byte-level byte-pair encoding with GPT-2's pre-tokenization.
///
/// The ids equal those of Hugging Face tokenizers (`ByteLevel(add_prefix_space: false,
/// use_regex: true)` before `BPE`).
///
/// A value is immutable and may encode in any number of threads at once. Encoding takes
/// O(n log n) in the length of the longest word and O(n) in the number of words.
package struct BytePairTokenizer: Tokenizer {
  /// The pair of tokens that a merge joins.
  package struct Merge: Sendable, Equatable {
    /// The token on the left.
    package let left: TokenID
    /// The token on the right.
    package let right: TokenID

    /// The merge of `left` and `right`.
    package init(_ left: TokenID, _ right: TokenID) {
      self.left = left
      self.right = right
    }
  }

  package let endOfText: TokenID
  /// The special tokens in ascending order.
  package let specialTokens: [TokenID]
  /// The merges in order of rank.
  package let merges: [Merge]
  package internal(set) var settings = TokenizerSettings()

  private let tokens: ByteStringTable
  private let rules: MergeRules
  private let roles: [Role]
  package private(set) var specialTokenScanner = SpecialTokenScanner([])

  private enum Role: UInt8 {
    case special
    /// Merging the token's bytes yields exactly this token: a word equal to it needs no merging.
    case wholeWord
    case part
  }

  /// Creates a tokenizer of `tokens`, whose index is their id, and `merges` in order of rank.
  ///
  /// Special tokens are given in their written form. Throws `TokenizerError.invalidVocabulary`
  /// unless tokens are distinct, every byte has a token, merges stay inside the vocabulary, and
  /// plain text can produce no special token.
  package init(
    tokens: [[UInt8]], merges: [Merge], specialTokens: [TokenID], endOfText: TokenID
  ) throws(TokenizerError) {
    var table = ByteStringTable(capacity: tokens.count)
    for token in tokens where !table.insert(token).inserted {
      throw .invalidVocabulary(.duplicateToken(ByteAlphabet.spelling(of: token)), path: nil)
    }
    var roles = [Role](repeating: .part, count: tokens.count)
    for id in specialTokens {
      guard tokens.indices.contains(Int(id)) else {
        throw .unknownID(id: id, vocabularySize: tokens.count)
      }
      roles[Int(id)] = .special
    }
    guard tokens.indices.contains(Int(endOfText)), roles[Int(endOfText)] == .special else {
      throw .invalidVocabulary(.missingEndOfText("id \(endOfText)"), path: nil)
    }
    let rules = try Self.rules(of: merges, in: table)
    for id in rules.byteIDs + rules.results where roles[Int(id)] == .special {
      let token = String(decoding: table[Int(id)], as: UTF8.self)
      throw .invalidVocabulary(.reachableSpecial(token), path: nil)
    }
    // In a file, special tokens are plain text and all others are spelled in the byte alphabet:
    // no two spellings may be equal.
    for id in specialTokens {
      let text = String(decoding: table[Int(id)], as: UTF8.self)
      guard let other = ByteAlphabet.bytes(spelled: text).flatMap({ table.find($0) }) else {
        continue
      }
      if roles[other] != .special {
        throw .invalidVocabulary(.duplicateToken(text), path: nil)
      }
    }
    var ids: [TokenID] = []
    for (id, token) in tokens.enumerated() where roles[id] == .part {
      ids.removeAll(keepingCapacity: true)
      token.withUnsafeBufferPointer { rules.append($0, to: &ids) }
      if ids == [TokenID(id)] { roles[id] = .wholeWord }
    }
    self.tokens = table
    self.rules = rules
    self.roles = roles
    self.merges = merges
    self.endOfText = endOfText
    self.specialTokens = roles.indices.filter { roles[$0] == .special }.map { TokenID($0) }
    specialTokenScanner = SpecialTokenScanner(
      self.specialTokens.map { (Array(table[Int($0)]), $0) })
  }

  private static func rules(
    of merges: [Merge], in table: ByteStringTable
  ) throws(TokenizerError) -> MergeRules {
    var byteIDs: [UInt32] = []
    for byte in UInt8.min...UInt8.max {
      guard let id = table.find([byte]) else {
        throw .invalidVocabulary(.missingByte(byte), path: nil)
      }
      byteIDs.append(UInt32(id))
    }
    var ranks = PairTable(capacity: merges.count)
    var results: [UInt32] = []
    for (rank, merge) in merges.enumerated() {
      for id in [merge.left, merge.right] where id < 0 || Int(id) >= table.count {
        throw .invalidVocabulary(.unknownMergeToken(index: rank, token: "\(id)"), path: nil)
      }
      let joined = Array(table[Int(merge.left)] + table[Int(merge.right)])
      guard let result = table.find(joined) else {
        let token = ByteAlphabet.spelling(of: joined)
        throw .invalidVocabulary(.unknownMergeToken(index: rank, token: token), path: nil)
      }
      let pair = TokenPair(UInt32(merge.left), UInt32(merge.right))
      guard ranks.insert(pair, number: UInt32(rank)) == UInt32(rank) else {
        throw .invalidVocabulary(.repeatedMerge(index: rank), path: nil)
      }
      results.append(UInt32(result))
    }
    return MergeRules(byteIDs: byteIDs, ranks: ranks, results: results)
  }

  package var vocabularySize: Int { tokens.count }

  /// Returns the ids of `bytes`, which need not be valid UTF-8.
  package func encode(_ bytes: UnsafeBufferPointer<UInt8>) -> [TokenID] {
    var ids: [TokenID] = []
    // English text has about four bytes per token; a longer result grows the array.
    ids.reserveCapacity(bytes.count / 4 + 16)
    var scanner = WordScanner(bytes)
    while let range = scanner.next() {
      let word = UnsafeBufferPointer(rebasing: bytes[range])
      if word.count == 1 {
        ids.append(TokenID(bitPattern: rules.byteIDs[Int(word[0])]))
      } else if let id = tokens.find(word), roles[id] == .wholeWord {
        ids.append(TokenID(id))
      } else {
        rules.append(word, to: &ids)
      }
    }
    return ids
  }

  package func bytes(of id: TokenID) throws(TokenizerError) -> [UInt8] {
    guard id >= 0, Int(id) < tokens.count else {
      throw .unknownID(id: id, vocabularySize: tokens.count)
    }
    return Array(tokens[Int(id)])
  }

  package func isSpecial(_ id: TokenID) -> Bool {
    id >= 0 && Int(id) < roles.count && roles[Int(id)] == .special
  }

  package func specialToken(_ text: String) -> TokenID? {
    guard let id = tokens.find(Array(text.utf8)), roles[id] == .special else { return nil }
    return TokenID(id)
  }

  /// The tokens as files spell them: special tokens verbatim, all others in the byte alphabet.
  var spellings: [String] {
    roles.indices.map { id in
      roles[id] == .special
        ? String(decoding: tokens[id], as: UTF8.self) : ByteAlphabet.spelling(of: tokens[id])
    }
  }
}
