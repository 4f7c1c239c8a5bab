import Files

extension TokenizerConfiguration {
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
    guard tokenizerClass == "LlamaTokenizer", isOfLlama, case .object(var members) = document,
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
    for (key, part) in parts {
      if let place = members.firstIndex(where: { $0.key == key }) {
        members[place].value = part
      } else {
        members.append((key, part))
      }
    }
    return .object(members)
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
