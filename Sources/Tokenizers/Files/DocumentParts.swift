// Builders for the parts of a tokenizer.json, into which other file layouts are converted.

import Files

extension JSONValue {
  /// Builds a tokenizer.json with the keys in the order of Hugging Face tokenizers.
  static func tokenizer(
    addedTokens: [JSONValue], normalizer: JSONValue = .null, preTokenizer: JSONValue,
    postProcessor: JSONValue = .null, decoder: JSONValue, model: JSONValue
  ) -> JSONValue {
    [
      "version": "1.0", "truncation": .null, "padding": .null, "added_tokens": .array(addedTokens),
      "normalizer": normalizer, "pre_tokenizer": preTokenizer, "post_processor": postProcessor,
      "decoder": decoder, "model": model,
    ]
  }

  /// Builds BERT's tokenizer.json.
  ///
  /// The special tokens begin with those for padding, unknown words, the start, the end and masked
  /// words, in this order.
  static func bert(
    vocabulary: [String], specialTokens: [(token: String, id: Int)], lowercases: JSONValue = true,
    separatesChinese: JSONValue = true, stripsAccents: JSONValue = .null
  ) -> JSONValue {
    .tokenizer(
      addedTokens: specialTokens.sorted { $0.id < $1.id }.map { .addedToken($0.token, id: $0.id) },
      normalizer: [
        "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": separatesChinese,
        "strip_accents": stripsAccents, "lowercase": lowercases,
      ],
      preTokenizer: ["type": "BertPreTokenizer"],
      postProcessor: .template(
        before: [specialTokens[2]], after: [specialTokens[3]], startsSecond: false),
      decoder: ["type": "WordPiece", "prefix": "##", "cleanup": true],
      model: [
        "type": "WordPiece", "unk_token": .string(specialTokens[1].token),
        "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
        "vocab": .object(vocabulary.enumerated().map { ($1, .integer($0)) }),
      ])
  }

  /// Builds a BPE model; `affix` marks the parts inside and at the end of words.
  static func bytePairs(
    _ vocabulary: [(key: String, id: Int)], merges: [(left: String, right: String)],
    unknown: String? = nil, affix: JSONValue = .null, fusesUnknown: Bool = false,
    fallsBackToBytes: Bool = false, ignoresMerges: Bool = false
  ) -> JSONValue {
    [
      "type": "BPE", "dropout": .null, "unk_token": unknown.map { .string($0) } ?? .null,
      "continuing_subword_prefix": affix, "end_of_word_suffix": affix,
      "fuse_unk": .bool(fusesUnknown), "byte_fallback": .bool(fallsBackToBytes),
      "ignore_merges": .bool(ignoresMerges),
      "vocab": .object(vocabulary.map { ($0.key, .integer($0.id)) }),
      "merges": .array(merges.map { [.string($0.left), .string($0.right)] }),
    ]
  }

  /// Builds a Unigram model.
  static func unigram(
    _ vocabulary: [(piece: String, score: Double)], unknown: Int, fallsBackToBytes: Bool = false
  ) -> JSONValue {
    [
      "type": "Unigram", "unk_id": .integer(unknown),
      "vocab": .array(vocabulary.map { [.string($0.piece), .number($0.score)] }),
      "byte_fallback": .bool(fallsBackToBytes),
    ]
  }

  /// Builds an entry of `added_tokens`.
  static func addedToken(_ content: String, id: Int, isSpecial: Bool = true) -> JSONValue {
    [
      "id": .integer(id), "content": .string(content), "single_word": false, "lstrip": false,
      "rstrip": false, "normalized": false, "special": .bool(isSpecial),
    ]
  }

  /// Builds ByteLevel, as pre-tokenizer, post-processor or decoder.
  static func byteLevel(
    addPrefixSpace: Bool, trimOffsets: Bool = true, useRegex: Bool = true
  ) -> JSONValue {
    [
      "type": "ByteLevel", "add_prefix_space": .bool(addPrefixSpace),
      "trim_offsets": .bool(trimOffsets), "use_regex": .bool(useRegex),
    ]
  }

  /// Builds Qwen's pre-tokenizer: words, then bytes.
  static func qwen(addPrefixSpace: Bool) -> JSONValue {
    let split: JSONValue = [
      "type": "Split", "pattern": ["Regex": .string(CasedWordScanner.expression(digits: 1))],
      "behavior": "Isolated", "invert": false,
    ]
    let bytes = byteLevel(addPrefixSpace: addPrefixSpace, trimOffsets: false, useRegex: false)
    return ["type": "Sequence", "pretokenizers": [split, bytes]]
  }

  /// Builds Metaspace, as pre-tokenizer or decoder.
  ///
  /// - Parameter prepends: The texts that get a space before them: always, first or never.
  static func metaspace(prepends: String = "always", splits: Bool = true) -> JSONValue {
    [
      "type": "Metaspace", "replacement": "▁", "prepend_scheme": .string(prepends),
      "split": .bool(splits),
    ]
  }

  /// Builds a Replace of `pattern`, which is a String or a Regex.
  static func replacing(_ pattern: JSONValue, with content: String) -> JSONValue {
    ["type": "Replace", "pattern": pattern, "content": .string(content)]
  }

  /// Builds TemplateProcessing with tokens before and after each text, before the second text only
  /// if `startsSecond`.
  static func template(
    before: [(token: String, id: Int)] = [], after: [(token: String, id: Int)] = [],
    startsSecond: Bool = true, secondType: Int = 1
  ) -> JSONValue {
    func text(_ name: String, _ typeID: Int, _ starts: Bool) -> [JSONValue] {
      func piece(_ kind: String, _ id: String) -> JSONValue {
        [kind: ["id": .string(id), "type_id": .integer(typeID)]]
      }
      return (starts ? before.map { piece("SpecialToken", $0.token) } : [])
        + [piece("Sequence", name)] + after.map { piece("SpecialToken", $0.token) }
    }
    var specials: [(key: String, value: JSONValue)] = []
    // One token may stand on both sides, as the end of text of GPT-2.
    for (token, id) in (before + after).sorted(by: { $0.token < $1.token })
    where !specials.contains(where: { $0.key.utf8.elementsEqual(token.utf8) }) {
      let name = JSONValue.string(token)
      specials.append((token, ["id": name, "ids": [.integer(id)], "tokens": [name]]))
    }
    return [
      "type": "TemplateProcessing", "single": .array(text("A", 0, true)),
      "pair": .array(text("A", 0, true) + text("B", secondType, startsSecond)),
      "special_tokens": .object(specials),
    ]
  }
}
