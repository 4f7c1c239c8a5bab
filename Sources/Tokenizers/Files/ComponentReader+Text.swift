// Readers of normalizers and pre-tokenizers, by their type.

import Files

extension ComponentReader {
  /// Reads the normalizer in `value`; nil for null.
  func normalizer(
    _ value: JSONValue, _ field: String = "normalizer"
  ) throws(TokenizerError) -> (any Normalizer)? {
    if value.isNull { return nil }
    let type = try type(value, field)
    switch type {
    case "Sequence":
      return NormalizerSequence(
        normalizers: try parts(value, "normalizers", field, normalizer))
    case "NFC", "NFD", "NFKC", "NFKD":
      return UnicodeNormalization.Form(rawValue: type).map(UnicodeFormNormalizer.init)
    case "Lowercase": return LowercaseNormalizer()
    case "StripAccents": return StripAccentsNormalizer()
    case "Nmt": return NmtNormalizer()
    case "BertNormalizer":
      let lowercases = try bool(value, "lowercase", field, default: true)
      return BertNormalizer(
        cleansText: try bool(value, "clean_text", field, default: true),
        separatesChinese: try bool(value, "handle_chinese_chars", field, default: true),
        stripsAccents: try bool(value, "strip_accents", field, default: lowercases),
        lowercases: lowercases)
    case "Strip":
      return StripNormalizer(
        left: try bool(value, "strip_left", field), right: try bool(value, "strip_right", field))
    case "Prepend":
      return PrependNormalizer(content: Array(try text(value, "prepend", field).utf8))
    case "Replace":
      return ReplaceNormalizer(
        pattern: try pattern(value, field), content: Array(try text(value, "content", field).utf8))
    case "Precompiled":
      let map = try text(value, "precompiled_charsmap", field)
      guard let bytes = Base64.decode(map.utf8), let normalizer = PrecompiledNormalizer(bytes)
      else {
        throw document.invalid("\(field).precompiled_charsmap", "a character map in base 64")
      }
      return normalizer
    default: throw document.unsupported(field, value)
    }
  }

  /// Reads the pre-tokenizer in `value`; nil for null.
  func preTokenizer(
    _ value: JSONValue, _ field: String = "pre_tokenizer"
  ) throws(TokenizerError) -> (any PreTokenizer)? {
    if value.isNull { return nil }
    switch try type(value, field) {
    case "Sequence":
      var last: (any PreTokenizer)?
      let parts = try parts(value, "pretokenizers", field) {
        part, field throws(TokenizerError) -> (any PreTokenizer)? in
        if last is ByteLevelPreTokenizer {
          throw .unsupported(
            path: document.path,
            construct: "pre_tokenizer \(try type(part, field)) after ByteLevel")
        }
        let part = try preTokenizer(part, field)
        last = part ?? last
        return part
      }
      return PreTokenizerSequence(preTokenizers: parts)
    case "ByteLevel":
      return ByteLevelPreTokenizer(
        addsPrefixSpace: try bool(value, "add_prefix_space", field),
        usesPattern: try bool(value, "use_regex", field, default: true))
    case "Split":
      return SplitPreTokenizer(
        pattern: try pattern(value, field), behavior: try behavior(value, field),
        isInverted: try bool(value, "invert", field, default: false))
    case "Whitespace": return WhitespacePreTokenizer()
    case "WhitespaceSplit": return WhitespaceSplitPreTokenizer()
    case "BertPreTokenizer": return BertPreTokenizer()
    case "Digits":
      return DigitsPreTokenizer(
        individualDigits: try bool(value, "individual_digits", field, default: false))
    case "Punctuation":
      return PunctuationPreTokenizer(
        behavior: value["behavior"] == nil ? .isolated : try behavior(value, field))
    case "Metaspace":
      return MetaspacePreTokenizer(
        replacement: try replacement(value, field), prependScheme: try prependScheme(value, field),
        splits: try bool(value, "split", field, default: true))
    default: throw document.unsupported(field, value)
    }
  }

  private func behavior(
    _ value: JSONValue, _ field: String
  ) throws(TokenizerError) -> SplitPreTokenizer.Behavior {
    guard let behavior = value["behavior"]?.string.flatMap(SplitPreTokenizer.Behavior.init) else {
      throw document.invalid(
        "\(field).behavior",
        "Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous")
    }
    return behavior
  }

  /// Reads the single character that replaces a space.
  func replacement(_ value: JSONValue, _ field: String) throws(TokenizerError) -> [UInt8] {
    let text = try text(value, "replacement", field, default: "▁")
    guard text.unicodeScalars.count == 1 else {
      throw document.invalid("\(field).replacement", "one character")
    }
    return Array(text.utf8)
  }

  /// Reads the condition under which a space is put before a text; files older than
  /// `prepend_scheme` have the flag `add_prefix_space` instead.
  func prependScheme(
    _ value: JSONValue, _ field: String
  ) throws(TokenizerError) -> MetaspacePreTokenizer.PrependScheme {
    if let scheme = value["prepend_scheme"], !scheme.isNull {
      guard let scheme = scheme.string.flatMap(MetaspacePreTokenizer.PrependScheme.init) else {
        throw document.invalid("\(field).prepend_scheme", "always, never or first")
      }
      return scheme
    }
    return try bool(value, "add_prefix_space", field, default: true) ? .always : .never
  }
}
