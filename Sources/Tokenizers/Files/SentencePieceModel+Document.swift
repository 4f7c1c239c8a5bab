import Files

extension SentencePieceModel {
  /// Returns the model as a tokenizer.json in the form in which T5's tokenizer is published, with
  /// `sentinels` tokens `<extra_id_…>` after the pieces.
  ///
  /// Throws `TokenizerError.unsupported` for a model that is no Unigram.
  func t5Document(sentinels: Int) throws(TokenizerError) -> JSONValue {
    guard algorithm == .unigram else {
      throw .unsupported(
        path: path, construct: "model \(algorithm.name) with the class T5Tokenizer")
    }
    let extra = (0..<sentinels).reversed().map { "<extra_id_\($0)>" }
    let sentinelTokens = extra.enumerated().map { JSONValue.addedToken($1, id: pieces.count + $0) }
    let end = pieces.firstIndex { $0.kind == .control && $0.text == "</s>" }
    return .tokenizer(
      addedTokens: addedTokens + userDefinedTokens + sentinelTokens,
      normalizer: characterMap.isEmpty ? .null : characterMapper,
      preTokenizer: [
        "type": "Sequence", "pretokenizers": [["type": "WhitespaceSplit"], .metaspace()],
      ],
      postProcessor: end.map { .template(after: [("</s>", $0)], secondType: 0) } ?? .null,
      decoder: .metaspace(), model: try unigram(extra))
  }

  /// Returns the vocabulary as a tokenizer.json with a BPE and nothing else, for the classes of
  /// transformers that build the other parts themselves.
  ///
  /// These take every model for a BPE, whose merges have the order of the ids of their results.
  var pairsDocument: JSONValue {
    .tokenizer(
      addedTokens: addedTokens + userDefinedTokens, preTokenizer: .null, decoder: .null,
      model: .bytePairs(
        pieces.enumerated().map { (key: $1.text, id: $0) }, merges: merges(byScore: false)))
  }

  /// Returns the model as a tokenizer.json with the ids of sentencepiece.
  ///
  /// - Parameter isLegacy: True when every text between special tokens has a space before it; else only
  ///   the first one has.
  func document(isLegacy: Bool) throws(TokenizerError) -> JSONValue {
    let model: JSONValue
    switch algorithm {
    case .unigram: model = try unigram()
    case .bytePairs:
      model = .bytePairs(
        pieces.enumerated().map { (key: $1.text, id: $0) }, merges: merges(byScore: true),
        unknown: pieces.first { $0.kind == .unknown }?.text, fusesUnknown: true,
        fallsBackToBytes: fallsBackToBytes, ignoresMerges: !userDefined.isEmpty)
    case .words, .characters:
      throw .unsupported(path: path, construct: "model \(algorithm.name)")
    }
    var decoders: [JSONValue] = [.replacing(["String": "▁"], with: " ")]
    if fallsBackToBytes { decoders.append(["type": "ByteFallback"]) }
    decoders.append(["type": "Fuse"])
    if addsPrefix { decoders.append(["type": "Strip", "content": " ", "start": 1, "stop": 0]) }
    return .tokenizer(
      addedTokens: addedTokens, normalizer: normalizer(isLegacy),
      preTokenizer: preTokenizer(isLegacy),
      decoder: ["type": "Sequence", "decoders": .array(decoders)], model: model)
  }

  /// Returns a Unigram of the pieces and of the tokens `extra` after them.
  private func unigram(_ extra: [String] = []) throws(TokenizerError) -> JSONValue {
    guard let unknown = pieces.firstIndex(where: { $0.kind == .unknown }) else {
      throw .malformedModel(path: path, reason: "it has no unknown piece")
    }
    return .unigram(
      pieces.map { (piece: $0.text, score: Double($0.score)) } + extra.map { ($0, 0) },
      unknown: unknown, fallsBackToBytes: fallsBackToBytes)
  }

  /// The added tokens: control and unknown pieces, which are special.
  private var addedTokens: [JSONValue] {
    pieces.enumerated().compactMap { id, piece in
      switch piece.kind {
      case .control, .unknown: .addedToken(piece.text, id: id)
      case .normal, .userDefined, .unused, .byte: nil
      }
    }
  }

  /// The pieces that the user has defined: found in the normalized text wherever they are written, the
  /// longest first, and never merged with what is beside them.
  private var userDefined: [String] {
    pieces.filter { $0.kind == .userDefined }.map(\.text)
  }

  /// The pieces that the user has defined as added tokens, which are not special.
  var userDefinedTokens: [JSONValue] {
    pieces.enumerated().compactMap { id, piece in
      piece.kind == .userDefined ? .addedToken(piece.text, id: id, isSpecial: false) : nil
    }
  }

  /// A pre-tokenizer that cuts out the pieces that the user has defined; nil without any.
  private var splitAtUserDefined: JSONValue? {
    guard !userDefined.isEmpty else { return nil }
    let longestFirst = userDefined.sorted { $0.unicodeScalars.count > $1.unicodeScalars.count }
    let pattern = longestFirst.map { piece in
      piece.map { #"\.^$*+?()[]{}|-&~# "#.contains($0) ? "\\\($0)" : "\($0)" }.joined()
    }
    return [
      "type": "Split", "pattern": ["Regex": .string(pattern.joined(separator: "|"))],
      "behavior": "Isolated", "invert": false,
    ]
  }

  /// The normalizer of sentencepiece's character map.
  private var characterMapper: JSONValue {
    ["type": "Precompiled", "precompiled_charsmap": .string(Base64.encode(characterMap))]
  }

  /// Returns the normalizer: first the character map, then the treatment of spaces.
  ///
  /// A model that removes extra spaces drops those at the ends and merges runs of them.
  private func normalizer(_ isLegacy: Bool) -> JSONValue {
    var parts = characterMap.isEmpty ? [] : [characterMapper]
    if removesExtraSpace {
      parts.append(.replacing(["Regex": #"\A +| +\z"#], with: ""))
      parts.append(.replacing(["Regex": " {2,}"], with: " "))
    }
    parts.append(.replacing(["String": " "], with: "▁"))
    if addsPrefix, isLegacy {
      // Metaspace puts no space before a text that begins with its mark; sentencepiece does.
      parts.append(.replacing(["Regex": #"\A▁"#], with: "▁▁"))
    }
    return ["type": "Sequence", "normalizers": .array(parts)]
  }

  /// Returns the pre-tokenizer, which splits nowhere but at the pieces that the user has defined.
  private func preTokenizer(_ isLegacy: Bool) -> JSONValue {
    let prefix: JSONValue? =
      addsPrefix ? .metaspace(prepends: isLegacy ? "always" : "first", splits: false) : nil
    let parts = [prefix, splitAtUserDefined].compactMap(\.self)
    return parts.isEmpty ? .null : ["type": "Sequence", "pretokenizers": .array(parts)]
  }

  /// Returns all pairs of pieces whose concatenation is a piece, in the order in which they merge; of
  /// equal rank, the one with the shorter left piece first.
  ///
  /// - Parameter byScore: True for normal pieces by descending score; false for all pieces by id.
  private func merges(byScore: Bool) -> [(left: String, right: String)] {
    var ids = ByteStringTable(capacity: pieces.count)
    for piece in pieces { _ = ids.insert(Array(piece.text.utf8)) }
    let isMerged = { (piece: Piece) in !byScore || piece.kind == .normal }
    let results = pieces.indices.filter { isMerged(pieces[$0]) }
    // Stable: equal scores have the order of their ids.
    let order = byScore ? results.sorted { pieces[$0].score > pieces[$1].score } : results
    var merges: [(left: String, right: String)] = []
    for result in order {
      let scalars = pieces[result].text.unicodeScalars
      for index in scalars.indices.dropFirst() {
        let (left, right) = (String(scalars[..<index]), String(scalars[index...]))
        if let first = ids.find(Array(left.utf8)), let second = ids.find(Array(right.utf8)),
          isMerged(pieces[first]), isMerged(pieces[second])
        {
          merges.append((left, right))
        }
      }
    }
    return merges
  }
}
