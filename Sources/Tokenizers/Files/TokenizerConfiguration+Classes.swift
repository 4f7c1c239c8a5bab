import Files

extension TokenizerConfiguration {
  /// Returns `document`, a tokenizer.json, with the parts that transformers' class for the folder
  /// makes anew from the settings.
  func asClass(_ document: JSONValue) throws(TokenizerError) -> JSONValue {
    let type = document["model"]?["type"]?.string
    switch modelClass ?? tokenizerClass {
    case "BertTokenizer" where type == "WordPiece":
      return document.replacing([
        (
          "normalizer",
          [
            "type": "BertNormalizer", "clean_text": true,
            "handle_chinese_chars": .bool(try flag("tokenize_chinese_chars") ?? true),
            "strip_accents": try flag("strip_accents").map { .bool($0) } ?? .null,
            "lowercase": .bool(try flag("do_lower_case") ?? true),
          ]
        ), ("pre_tokenizer", ["type": "BertPreTokenizer"]),
      ])
    case "GPT2Tokenizer", "Qwen2Tokenizer":
      guard Self.hasByteLevelPreTokenizer(document), let parts = document["pre_tokenizer"] else {
        return document
      }
      let prefixes = JSONValue.bool(try flag("add_prefix_space") ?? false)
      func prefixing(_ part: JSONValue) -> JSONValue {
        if let several = part["pretokenizers"]?.array {
          return part.replacing([("pretokenizers", .array(several.map(prefixing)))])
        }
        guard part["type"]?.string == "ByteLevel" else { return part }
        return part.replacing([("add_prefix_space", prefixes)])
      }
      return document.replacing([("pre_tokenizer", prefixing(parts))])
    default: return try asLlama(document)
    }
  }

  /// The class that transformers takes for the model beside, whatever the settings name, or where they
  /// name none; nil for others.
  private var modelClass: String? {
    guard let model = try? JSONFile(path: FileSystem.join(folder, "config.json")),
      let type = model.root["model_type"]?.string
    else { return nil }
    if type == "qwen2" { return "Qwen2Tokenizer" }
    if tokenizerClass != nil { return nil }
    return ["bert": "BertTokenizer", "gpt2": "GPT2Tokenizer", "qwen3": "Qwen2Tokenizer"][type]
  }

  /// Returns `document` with the normalizer, pre-tokenizer and decoder of transformers' class
  /// `LlamaTokenizer`, if the folder asks for it; `document` otherwise.
  ///
  /// transformers (5) takes this class when `tokenizer_class` names it and the model beside is no
  /// family with a class of its own; the class ignores these parts of a `tokenizer.json`. Without
  /// `legacy: true` only the first section of a text gets a space before it, and none after a special
  /// token.
  ///
  /// - Parameter isModel: True for the document of a model of sentencepiece, which cuts out the pieces
  ///   that the user has defined; a tokenizer.json has them as added tokens.
  func asLlama(_ document: JSONValue, isModel: Bool = false) throws(TokenizerError) -> JSONValue {
    guard tokenizerClass == "LlamaTokenizer", isOfLlama, document.members != nil,
      document["model"]?["type"]?.string == "BPE", !Self.hasByteLevelPreTokenizer(document)
    else { return document }
    let prepends = try flag("add_prefix_space") ?? true
    let isLegacy = try flag("legacy") ?? false
    let space = JSONValue.string(" ")
    var decoders: [JSONValue] = [
      .replacing(["String": "▁"], with: " "), ["type": "ByteFallback"], ["type": "Fuse"],
    ]
    if prepends {
      decoders.append(["type": "Strip", "content": space, "start": 1, "stop": 0])
    }
    let metaspace = JSONValue.metaspace(
      prepends: prepends ? (isLegacy ? "always" : "first") : "never", splits: false)
    let splits = Self.preTokenizers(of: document).filter { $0["type"]?.string == "Split" }
    let parts: [(key: String, value: JSONValue)] = [
      ("normalizer", .null),
      (
        "pre_tokenizer",
        isModel && !splits.isEmpty
          ? ["type": "Sequence", "pretokenizers": .array([metaspace] + splits)] : metaspace
      ), ("decoder", ["type": "Sequence", "decoders": .array(decoders)]),
    ]
    return document.replacing(parts)
  }

  /// True unless the model beside belongs to a family for which transformers takes another class.
  private var isOfLlama: Bool {
    guard let model = try? JSONFile(path: FileSystem.join(folder, "config.json")),
      let type = model.root["model_type"]?.string
    else { return true }
    return type == "llama"
  }

  /// True for a tokenizer that splits texts into bytes.
  private static func hasByteLevelPreTokenizer(_ document: JSONValue) -> Bool {
    preTokenizers(of: document).contains { $0["type"]?.string == "ByteLevel" }
  }

  private static func preTokenizers(of document: JSONValue) -> [JSONValue] {
    [document["pre_tokenizer"]].compactMap(\.self).flatMap {
      [$0] + ($0["pretokenizers"]?.array ?? [])
    }
  }
}

extension JSONValue {
  /// Returns this object with `parts`, which replace members of the same name.
  fileprivate func replacing(_ parts: [(key: String, value: JSONValue)]) -> JSONValue {
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
