/// Byte-level byte-pair encoding with GPT-2's pre-tokenization, with the ids of Hugging Face
/// tokenizers (`ByteLevel(add_prefix_space: false, use_regex: true)` before `BPE`).
///
/// A value is immutable and may encode in any number of threads at once. Encoding is O(n log n) in
/// the length of the longest word and O(n) in the number of words.
public struct BytePairTokenizer: Tokenizer {
  /// The pair of tokens that a merge joins.
  public struct Merge: Sendable, Equatable {
    /// The token on the left.
    public let left: TokenID
    /// The token on the right.
    public let right: TokenID

    /// The merge of `left` and `right`.
    public init(_ left: TokenID, _ right: TokenID) {
      self.left = left
      self.right = right
    }
  }

  /// The special token that ends a document.
  public let endOfText: TokenID
  /// The special tokens in ascending order.
  public let specialTokens: [TokenID]
  /// The merges by rank.
  public let merges: [Merge]

  private let tokens: ByteStringTable
  private let rules: MergeRules
  private let roles: [Role]

  private enum Role: UInt8 {
    case special
    /// Merging the token's bytes gives just this token: a word equal to it needs no merging.
    case wholeWord
    case part
  }

  /// A tokenizer of `tokens`, whose index is their id, and `merges` in order of rank.
  ///
  /// Special tokens are given in their written form. Throws `TokenizerError.invalidVocabulary`
  /// unless tokens are distinct, every byte has one, merges stay inside the vocabulary, and no
  /// special token can come from plain text.
  public init(
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
    // In a file a special token is plain text and the others are spelled in the byte alphabet:
    // the two must not read alike.
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

  /// How many ids there are.
  public var vocabularySize: Int { tokens.count }

  /// The ids of `bytes`; bytes that are not valid UTF-8 are encoded too.
  public func encode(_ bytes: UnsafeBufferPointer<UInt8>) -> [TokenID] {
    var ids: [TokenID] = []
    // English text has about four bytes a token; a longer result grows the array.
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

  /// The bytes that `id` stands for; a special token's are its written form.
  public func bytes(of id: TokenID) throws(TokenizerError) -> [UInt8] {
    guard id >= 0, Int(id) < tokens.count else {
      throw .unknownID(id: id, vocabularySize: tokens.count)
    }
    return Array(tokens[Int(id)])
  }

  /// Whether `id` is a special token.
  public func isSpecial(_ id: TokenID) -> Bool {
    id >= 0 && Int(id) < roles.count && roles[Int(id)] == .special
  }

  /// The id of the special token written as `text`, such as `<|user|>`; nil when there is none.
  public func specialToken(_ text: String) -> TokenID? {
    guard let id = tokens.find(Array(text.utf8)), roles[id] == .special else { return nil }
    return TokenID(id)
  }

  /// Every token as files spell it: special tokens as they are, others in the byte alphabet.
  var spellings: [String] {
    roles.indices.map { id in
      roles[id] == .special
        ? String(decoding: tokens[id], as: UTF8.self) : ByteAlphabet.spelling(of: tokens[id])
    }
  }
}
