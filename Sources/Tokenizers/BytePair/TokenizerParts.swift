/// The vocabulary, merges and special tokens of a tokenizer as read from its files, not yet
/// validated.
struct TokenizerParts {
  /// The two tokens of a merge as the file spells them.
  typealias Pair = (left: String, right: String)

  /// The path of the file, for error sentences.
  let path: String
  /// The tokens of the model as the file spells them, with their ids.
  var vocabulary: [(key: String, id: Int)] = []
  var merges: [Pair] = []
  /// The special tokens in their written form; nil when the format does not list them.
  var specialTokens: [(content: String, id: Int)]?

  /// Validates the parts and builds the tokenizer, with the special token `endOfText`.
  ///
  /// Throws `TokenizerError.invalidVocabulary` when the parts do not fit together.
  func tokenizer(endOfText: String) throws(TokenizerError) -> BytePairTokenizer {
    let spelled = try Self.spellings(vocabulary, specialTokens ?? [], path)
    let merges = try mergeIDs(spelled)
    let specials = try specialIDs(spelled, merges)
    var isSpecial = [Bool](repeating: false, count: spelled.count)
    for id in specials { isSpecial[id] = true }
    var tokens: [[UInt8]] = []
    tokens.reserveCapacity(spelled.count)
    for (id, spelling) in spelled.enumerated() {
      if isSpecial[id] {
        tokens.append(Array(spelling.utf8))
      } else if let bytes = ByteAlphabet.bytes(spelled: spelling) {
        tokens.append(bytes)
      } else {
        throw defect(.foreignToken(spelling))
      }
    }
    guard let end = specials.first(where: { spelled[$0].utf8.elementsEqual(endOfText.utf8) }) else {
      throw defect(.missingEndOfText(endOfText))
    }
    do {
      return try BytePairTokenizer(
        tokens: tokens, merges: merges, specialTokens: specials.map { TokenID($0) },
        endOfText: TokenID(end))
    } catch {
      if case .invalidVocabulary(let problem, _) = error { throw defect(problem) }
      throw error
    }
  }

  private func defect(_ defect: VocabularyDefect) -> TokenizerError {
    .invalidVocabulary(defect, path: path)
  }

  /// Returns the spellings of `vocabulary` and of `added` in the order of their ids.
  ///
  /// Throws for a token that occurs twice, and unless the ids are 0, 1, 2, … without gaps.
  static func spellings(
    _ vocabulary: [(key: String, id: Int)], _ added: [(content: String, id: Int)], _ path: String
  ) throws(TokenizerError) -> [String] {
    var entries = vocabulary
    var known = ByteStringTable(capacity: vocabulary.count)
    for (key, _) in vocabulary where !known.insert(Array(key.utf8)).inserted {
      throw .invalidVocabulary(.duplicateToken(key), path: path)
    }
    // An added token may repeat a token of the model with the same id, or extend the vocabulary.
    for (content, id) in added {
      let (index, inserted) = known.insert(Array(content.utf8))
      if inserted {
        entries.append((content, id))
      } else if entries[index].id != id {
        throw .invalidVocabulary(.duplicateToken(content), path: path)
      }
    }
    entries.sort { $0.id < $1.id }
    for (index, entry) in entries.enumerated() where entry.id != index {
      throw .invalidVocabulary(
        entry.id < index ? .duplicateID(entry.id) : .missingID(index), path: path)
    }
    return entries.map(\.key)
  }

  private func mergeIDs(
    _ spelled: [String]
  ) throws(TokenizerError) -> [BytePairTokenizer.Merge] {
    var ids = ByteStringTable(capacity: spelled.count)
    for spelling in spelled { _ = ids.insert(Array(spelling.utf8)) }
    var result: [BytePairTokenizer.Merge] = []
    for (index, merge) in merges.enumerated() {
      guard let left = ids.find(Array(merge.left.utf8)) else {
        throw defect(.unknownMergeToken(index: index, token: merge.left))
      }
      guard let right = ids.find(Array(merge.right.utf8)) else {
        throw defect(.unknownMergeToken(index: index, token: merge.right))
      }
      result.append(.init(TokenID(left), TokenID(right)))
    }
    return result
  }

  /// Returns the ids of the special tokens.
  ///
  /// GPT-2's layout does not list them: there they are the tokens that are neither a byte nor the
  /// result of a merge, so that no text can produce them. Throws for a listed one that is.
  private func specialIDs(
    _ spelled: [String], _ merges: [BytePairTokenizer.Merge]
  ) throws(TokenizerError) -> [Int] {
    var reachable = ByteStringTable(capacity: spelled.count)
    for scalar in ByteAlphabet.scalars { _ = reachable.insert(Array(String(scalar).utf8)) }
    for merge in merges {
      let joined = Array(spelled[Int(merge.left)].utf8) + Array(spelled[Int(merge.right)].utf8)
      _ = reachable.insert(joined)
    }
    func isReachable(_ id: Int) -> Bool { reachable.find(Array(spelled[id].utf8)) != nil }
    guard let specialTokens else { return spelled.indices.filter { !isReachable($0) } }
    for (content, id) in specialTokens where isReachable(id) {
      throw defect(.reachableSpecial(content))
    }
    return specialTokens.map(\.id).sorted()
  }
}
