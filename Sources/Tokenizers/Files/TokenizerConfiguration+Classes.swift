import Files

extension TokenizerConfiguration {
  /// Returns the contents of `file`, a tokenizer.json, as transformers' class for the folder builds
  /// them: with the class's own parts, and with the special tokens of the settings.
  ///
  /// - Parameter rows: The number of ids of the model beside, which has no embedding for more tokens;
  ///   nil without a model.
  func asClass(
    _ file: JSONFile, rows: Int?
  ) throws(TokenizerError) -> Contents {
    let document = file.root
    let kind = kind(of: document)
    let tokens = try AddedTokenList(self, of: kind, keepsOwn: kind == nil, in: file, rows: rows)
    var parts: [(key: String, value: JSONValue)] = []
    if let kind { parts = try self.parts(of: kind, document) }
    if tokens.isChanged { parts.append(("added_tokens", .array(tokens.entries))) }
    if let ends = try ends(of: kind, tokens) { parts.append(("post_processor", ends)) }
    return (document.replacing(parts), kind, kind?.specialTokens ?? [])
  }

  /// Returns the post-processor that the class `kind` has whatever the settings say; nil for a class
  /// that keeps the one of a tokenizer.json.
  func ends(
    of kind: TokenizerClass?, _ tokens: AddedTokenList
  ) throws(TokenizerError) -> JSONValue? {
    switch kind {
    case .bert:
      let (start, end) = (try tokens.named("cls_token"), try tokens.named("sep_token"))
      return .template(before: [start], after: [end], startsSecond: false)
    case .t5:
      return .template(after: [("</s>", try tokens.named("eos_token").id)], secondType: 0)
    default: return nil
    }
  }

  /// Returns the normalizer, pre-tokenizer, decoder and model of the class `kind` for the vocabulary and
  /// merges of `document`.
  func parts(
    of kind: TokenizerClass, _ document: JSONValue
  ) throws(TokenizerError) -> [(key: String, value: JSONValue)] {
    var normalizer = JSONValue.null
    let preTokenizer: JSONValue
    var decoder = JSONValue.byteLevel(addPrefixSpace: true)
    var model = Self.bytePairs(of: document)
    switch kind {
    case .bert:
      normalizer = [
        "type": "BertNormalizer", "clean_text": true,
        "handle_chinese_chars": .bool(try flag("tokenize_chinese_chars") ?? true),
        "strip_accents": try flag("strip_accents").map { .bool($0) } ?? .null,
        "lowercase": .bool(try flag("do_lower_case") ?? true),
      ]
      preTokenizer = ["type": "BertPreTokenizer"]
      decoder = ["type": "WordPiece", "prefix": "##", "cleanup": true]
      model = [
        "type": "WordPiece", "unk_token": .string(try token("unk_token") ?? "[UNK]"),
        "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
        "vocab": Self.vocabulary(of: document),
      ]
    case .gpt2:
      preTokenizer = try bytePreTokenizer(of: document)
    case .qwen2:
      normalizer = ["type": "NFC"]
      preTokenizer = .qwen(addPrefixSpace: try flag("add_prefix_space") ?? false)
    case .llama:
      let prepends = try flag("add_prefix_space") ?? true
      (preTokenizer, decoder) = (try llamaPreTokenizer(prepends), Self.decoder(strips: prepends))
      model = model.replacing([("fuse_unk", true), ("byte_fallback", true)])
    case .gemma:
      normalizer = .replacing(["String": " "], with: "▁")
      preTokenizer = [
        "type": "Split", "pattern": ["String": " "], "behavior": "MergedWithPrevious",
        "invert": false,
      ]
      decoder = Self.decoder(strips: false)
      model = model.replacing([
        ("fuse_unk", true), ("byte_fallback", true),
        ("unk_token", .string(try token("unk_token") ?? "<unk>")),
      ])
    case .t5:
      let parts = document["normalizer"].map { $0["normalizers"]?.array ?? [$0] } ?? []
      normalizer = parts.first { $0["type"]?.string == "Precompiled" } ?? .null
      preTokenizer = [
        "type": "Sequence", "pretokenizers": [["type": "WhitespaceSplit"], .metaspace()],
      ]
      decoder = .metaspace()
      model = (document["model"] ?? .null).replacing([("unk_id", 2), ("byte_fallback", false)])
    }
    return [
      ("normalizer", normalizer), ("pre_tokenizer", preTokenizer), ("decoder", decoder),
      ("model", model),
    ]
  }

  /// Returns the pre-tokenizer of `document` with `add_prefix_space` as set, or the class's own where
  /// the document's has no step `ByteLevel`.
  ///
  /// The class also drops all other steps. Apus keeps them, because models were trained with them:
  /// SmolLM2 with single digits.
  private func bytePreTokenizer(of document: JSONValue) throws(TokenizerError) -> JSONValue {
    let addsSpace = try flag("add_prefix_space") ?? false
    guard let own = document["pre_tokenizer"] else {
      return .byteLevel(addPrefixSpace: addsSpace)
    }
    var steps = own["pretokenizers"]?.array ?? [own]
    guard let place = steps.firstIndex(where: { $0["type"]?.string == "ByteLevel" }) else {
      return .byteLevel(addPrefixSpace: addsSpace)
    }
    steps[place] = steps[place].replacing([("add_prefix_space", .bool(addsSpace))])
    return steps.count == 1 ? steps[0] : own.replacing([("pretokenizers", .array(steps))])
  }

  /// The pre-tokenizer of `LlamaTokenizer`: without `legacy: true` only the first section of a text gets
  /// a space before it, and none after a special token.
  private func llamaPreTokenizer(_ prepends: Bool) throws(TokenizerError) -> JSONValue {
    let isLegacy = try flag("legacy") ?? false
    return .metaspace(
      prepends: prepends ? (isLegacy ? "always" : "first") : "never", splits: false)
  }

  /// The decoder of pieces with byte fallback; it drops a first space if `strips`.
  private static func decoder(strips: Bool) -> JSONValue {
    let parts: [JSONValue] = [
      .replacing(["String": "▁"], with: " "), ["type": "ByteFallback"], ["type": "Fuse"],
    ]
    let strip: JSONValue = ["type": "Strip", "content": " ", "start": 1, "stop": 0]
    return ["type": "Sequence", "decoders": .array(parts + (strips ? [strip] : []))]
  }

  /// Returns a BPE with the vocabulary and merges of `document`, without merges where it has none.
  private static func bytePairs(of document: JSONValue) -> JSONValue {
    [
      "type": "BPE", "dropout": .null, "unk_token": .null, "continuing_subword_prefix": .null,
      "end_of_word_suffix": .null, "fuse_unk": false, "byte_fallback": false,
      "ignore_merges": false, "vocab": vocabulary(of: document),
      "merges": document["model"]?["merges"] ?? [],
    ]
  }

  /// Returns the tokens of `document` with their ids; those of a Unigram have the ids of their places.
  private static func vocabulary(of document: JSONValue) -> JSONValue {
    let vocabulary = document["model"]?["vocab"] ?? .null
    guard let pieces = vocabulary.array else { return vocabulary }
    return .object(
      pieces.enumerated().compactMap { place, piece in
        (piece.string ?? piece.array?.first?.string).map { ($0, .integer(place)) }
      })
  }
}

extension JSONValue {
  /// Returns this object with `parts`, which replace members of the same name.
  func replacing(_ parts: [(key: String, value: JSONValue)]) -> JSONValue {
    var members = self.members ?? []
    for part in parts {
      if let place = members.firstIndex(where: { $0.key == part.key }) {
        members[place].value = part.value
      } else {
        members.append(part)
      }
    }
    return .object(members)
  }
}
