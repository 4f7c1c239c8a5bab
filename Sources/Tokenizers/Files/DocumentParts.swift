// Builders for the parts of a tokenizer.json, into which other file layouts are converted.

import Files

extension JSONValue {
  /// Builds a part with its `type`.
  static func part(_ type: String, _ members: [(key: String, value: JSONValue)] = [])
    -> JSONValue
  {
    .object([("type", .string(type))] + members)
  }

  /// Builds a tokenizer.json with the keys in the order of Hugging Face tokenizers.
  static func tokenizer(
    addedTokens: [JSONValue], normalizer: JSONValue = .null, preTokenizer: JSONValue,
    postProcessor: JSONValue = .null, decoder: JSONValue, model: JSONValue
  ) -> JSONValue {
    .object([
      ("version", .string("1.0")), ("truncation", .null), ("padding", .null),
      ("added_tokens", .array(addedTokens)), ("normalizer", normalizer),
      ("pre_tokenizer", preTokenizer), ("post_processor", postProcessor), ("decoder", decoder),
      ("model", model),
    ])
  }

  /// Builds an entry of `added_tokens`.
  static func addedToken(_ content: String, id: Int, isSpecial: Bool = true) -> JSONValue {
    .object([
      ("id", .integer(id)), ("content", .string(content)), ("single_word", .bool(false)),
      ("lstrip", .bool(false)), ("rstrip", .bool(false)), ("normalized", .bool(false)),
      ("special", .bool(isSpecial)),
    ])
  }

  /// Builds ByteLevel, as pre-tokenizer, post-processor or decoder.
  static func byteLevel(
    addPrefixSpace: Bool, trimOffsets: Bool = true, useRegex: Bool = true
  ) -> JSONValue {
    .part(
      "ByteLevel",
      [
        ("add_prefix_space", .bool(addPrefixSpace)), ("trim_offsets", .bool(trimOffsets)),
        ("use_regex", .bool(useRegex)),
      ])
  }

  /// Builds Metaspace, as pre-tokenizer or decoder.
  static func metaspace(prependScheme: String = "always", splits: Bool = true) -> JSONValue {
    .part(
      "Metaspace",
      [
        ("replacement", .string("▁")), ("prepend_scheme", .string(prependScheme)),
        ("split", .bool(splits)),
      ])
  }

  /// Builds a Replace of a literal text.
  static func replacing(text: String, with content: String) -> JSONValue {
    .part(
      "Replace",
      [("pattern", .object([("String", .string(text))])), ("content", .string(content))])
  }

  /// Builds a Replace of the matches of a regular expression.
  static func replacing(expression: String, with content: String) -> JSONValue {
    .part(
      "Replace",
      [("pattern", .object([("Regex", .string(expression))])), ("content", .string(content))])
  }

  /// Builds TemplateProcessing with tokens before and after each text, before the second text only
  /// if `startsSecond`.
  static func template(
    before: [(token: String, id: Int)] = [], after: [(token: String, id: Int)] = [],
    startsSecond: Bool = true, secondType: Int = 1
  ) -> JSONValue {
    func special(_ token: String, _ typeID: Int) -> JSONValue {
      .object([("SpecialToken", .object([("id", .string(token)), ("type_id", .integer(typeID))]))])
    }
    func text(_ name: String, _ typeID: Int, _ starts: Bool) -> [JSONValue] {
      (starts ? before.map { special($0.token, typeID) } : [])
        + [
          .object([("Sequence", .object([("id", .string(name)), ("type_id", .integer(typeID))]))])
        ]
        + after.map { special($0.token, typeID) }
    }
    let specials = (before + after).sorted { $0.token < $1.token }.map { entry in
      let value = JSONValue.object([
        ("id", .string(entry.token)), ("ids", .array([.integer(entry.id)])),
        ("tokens", .array([.string(entry.token)])),
      ])
      return (key: entry.token, value: value)
    }
    return .part(
      "TemplateProcessing",
      [
        ("single", .array(text("A", 0, true))),
        ("pair", .array(text("A", 0, true) + text("B", secondType, startsSecond))),
        ("special_tokens", .object(specials)),
      ])
  }
}
