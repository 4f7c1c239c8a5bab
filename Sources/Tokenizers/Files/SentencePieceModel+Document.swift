import Files

extension SentencePieceModel {
  /// Returns the model as a tokenizer.json.
  ///
  /// With `asT5`, in the form in which T5's tokenizer is published; `sentinels` tokens
  /// `<extra_id_…>` follow the pieces. Other models as close to sentencepiece as the parts of
  /// Hugging Face tokenizers allow.
  func document(asT5 isT5: Bool, sentinels: Int) throws(TokenizerError) -> JSONValue {
    switch algorithm {
    case .unigram: return try unigram(isT5, sentinels)
    case .bytePairs: return try bytePairs(isT5)
    case .words: throw .unsupported(path: path, construct: "model Word")
    case .characters: throw .unsupported(path: path, construct: "model Char")
    }
  }

  private func unigram(_ isT5: Bool, _ sentinels: Int) throws(TokenizerError) -> JSONValue {
    guard let unknown = pieces.firstIndex(where: { $0.kind == .unknown }) else {
      throw .malformedModel(path: path, reason: "it has no unknown piece")
    }
    let extra = (0..<sentinels).reversed().map { "<extra_id_\($0)>" }
    let vocabulary =
      pieces.map { (piece: $0.text, score: Double($0.score)) } + extra.map { ($0, 0) }
    let sentinelTokens = extra.enumerated().map {
      JSONValue.addedToken($1, id: pieces.count + $0)
    }
    let end = pieces.firstIndex { $0.kind == .control && $0.text == "</s>" }
    return .tokenizer(
      addedTokens: addedTokens + sentinelTokens, normalizer: normalizer(asT5: isT5),
      preTokenizer: preTokenizer(asT5: isT5),
      postProcessor: end.map { .template(after: [("</s>", $0)], secondType: 0) } ?? .null,
      decoder: .metaspace(prepends: addsPrefix ? "always" : "never"),
      model: .unigram(vocabulary, unknown: unknown, fallsBackToBytes: fallsBackToBytes))
  }

  private func bytePairs(_ isT5: Bool) throws(TokenizerError) -> JSONValue {
    let begin = pieces.firstIndex { $0.kind == .control && $0.text == "<s>" }
    var decoders: [JSONValue] = [
      .replacing(["String": "▁"], with: " "), ["type": "ByteFallback"], ["type": "Fuse"],
    ]
    if addsPrefix { decoders.append(["type": "Strip", "content": " ", "start": 1, "stop": 0]) }
    return .tokenizer(
      addedTokens: addedTokens, normalizer: normalizer(asT5: isT5),
      preTokenizer: preTokenizer(asT5: isT5),
      postProcessor: begin.map { .template(before: [("<s>", $0)]) } ?? .null,
      decoder: ["type": "Sequence", "decoders": .array(decoders)],
      model: .bytePairs(
        pieces.enumerated().map { (key: $1.text, id: $0) }, merges: merges(),
        unknown: pieces.first { $0.kind == .unknown }?.text, fusesUnknown: true,
        fallsBackToBytes: fallsBackToBytes, ignoresMerges: !userDefined.isEmpty))
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

  /// Returns the normalizer: first the character map, then the treatment of spaces.
  ///
  /// A model that removes extra spaces drops those at the ends and merges runs of them (T5's
  /// pre-tokenizer does both); any other model keeps every space and, if `addsPrefix`, puts one
  /// before the text.
  private func normalizer(asT5 isT5: Bool) -> JSONValue {
    var parts: [JSONValue] = []
    if !characterMap.isEmpty {
      let map = JSONValue.string(Base64.encode(characterMap))
      parts.append(["type": "Precompiled", "precompiled_charsmap": map])
    }
    if removesExtraSpace, !isT5 {
      parts.append(.replacing(["Regex": #"\A +| +\z"#], with: ""))
      parts.append(.replacing(["Regex": " {2,}"], with: " "))
      if addsPrefix {
        // Metaspace puts no space before a text that begins with its mark; sentencepiece does.
        parts.append(.replacing(["String": " "], with: "▁"))
        parts.append(.replacing(["Regex": #"\A▁"#], with: "▁▁"))
      }
    } else if !removesExtraSpace {
      if addsPrefix { parts.append(["type": "Prepend", "prepend": "▁"]) }
      parts.append(.replacing(["String": " "], with: "▁"))
    }
    if parts.count < 2 { return parts.first ?? .null }
    return ["type": "Sequence", "normalizers": .array(parts)]
  }

  /// Returns the pre-tokenizer: T5 splits at any white space, other models before every space; a
  /// model that keeps every space, and one with pieces that the user has defined, before none.
  private func preTokenizer(asT5 isT5: Bool) -> JSONValue {
    let split = splitAtUserDefined
    var parts: [JSONValue] = []
    if removesExtraSpace {
      if isT5 { parts.append(["type": "WhitespaceSplit"]) }
      parts.append(
        .metaspace(prepends: addsPrefix ? "always" : "never", splits: isT5 || split == nil))
    }
    if let split { parts.append(split) }
    if parts.count < 2 { return parts.first ?? .null }
    return ["type": "Sequence", "pretokenizers": .array(parts)]
  }

  /// Returns all pairs of pieces whose concatenation is a piece, in descending order of its score.
  private func merges() -> [(left: String, right: String)] {
    var ids = ByteStringTable(capacity: pieces.count)
    for piece in pieces { _ = ids.insert(Array(piece.text.utf8)) }
    struct Merge {
      let score: Float
      let left: String
      let right: String
      let lengths: (Int, Int)
    }
    var merges: [Merge] = []
    for piece in pieces where piece.kind == .normal {
      let scalars = piece.text.unicodeScalars
      var own: [(left: Int, right: Int, merge: Merge)] = []
      for (count, index) in zip(1..., scalars.indices.dropFirst()) {
        let left = String(scalars[..<index])
        let right = String(scalars[index...])
        guard let leftID = ids.find(Array(left.utf8)), let rightID = ids.find(Array(right.utf8)),
          pieces[leftID].kind != .userDefined, pieces[rightID].kind != .userDefined
        else { continue }
        let lengths = (count, scalars.count - count)
        own.append(
          (leftID, rightID, Merge(score: piece.score, left: left, right: right, lengths: lengths)))
      }
      own.sort { ($0.left, $0.right) < ($1.left, $1.right) }
      merges += own.map(\.merge)
    }
    // Stable and in descending order, as the converter of transformers sorts.
    let order = merges.indices.sorted { a, b in
      let (x, y) = (merges[a], merges[b])
      if x.score != y.score { return x.score > y.score }
      if x.lengths != y.lengths { return x.lengths > y.lengths }
      return a < b
    }
    return order.map { (merges[$0].left, merges[$0].right) }
  }
}
