import Files

/// The members of a published tokenizer_config.json that stay with a copy of its tokenizer, such as
/// `padding_side`; none for a new tokenizer.
package struct TokenizerSettings: Sendable, Equatable {
  let members: [(key: String, value: JSONValue)]

  init(_ members: [(key: String, value: JSONValue)] = []) {
    self.members = members
  }

  /// Compares the written form.
  package static func == (left: TokenizerSettings, right: TokenizerSettings) -> Bool {
    JSONValue.object(left.members).compact == JSONValue.object(right.members).compact
  }
}

extension TokenizerConfiguration {
  /// Returns the settings that a copy of the tokenizer keeps, with those of the class `kind` where the
  /// file is silent: a copy names `PreTrainedTokenizerFast`, whose defaults are others.
  ///
  /// - Parameter usual: The special tokens by name where the settings name none.
  func kept(
    by kind: TokenizerClass?, _ usual: [TokenizerClass.NamedToken]
  ) -> TokenizerSettings {
    let replaced = Set(Self.keys.filter { !$0.isKept }.flatMap(\.names))
    var members = settings.filter { !replaced.contains($0.key) }
    func isSilent(_ name: String) -> Bool { !members.contains { $0.key == name } }
    for (name, value) in kind?.defaults(className) ?? [] where isSilent(name) {
      members.append((name, value))
    }
    for (name, text) in usual where isSilent(name) {
      members.append((name, .string(text)))
    }
    return TokenizerSettings(members)
  }
}

extension TokenizerClass {
  /// The settings of the class that differ from those of `TokenizersBackend`.
  fileprivate func defaults(_ name: String?) -> [(key: String, value: JSONValue)] {
    switch self {
    case .llama, .gemma: [("padding_side", "left")]
    // DistilBERT's class is the one without ids of the first and second text.
    case .bert where name.map(Self.withoutSuffix) != "DistilBertTokenizer":
      [("model_input_names", ["input_ids", "token_type_ids", "attention_mask"])]
    case .bert, .gpt2, .qwen2, .t5: []
    }
  }
}

extension TokenizerSettings {
  /// Returns the settings for `tokenizer`, without the special tokens that it lacks; the others are
  /// texts, because the tokenizer.json beside has their flags.
  func members(
    for tokenizer: any Tokenizer
  ) -> [(key: String, value: JSONValue)] {
    func has(_ token: JSONValue) -> Bool {
      AddedTokenList.content(token).map { tokenizer.specialToken($0) != nil } ?? false
    }
    return members.compactMap { key, value in
      if let tokens = value.array, TokenizerConfiguration.tokenLists.contains(key) {
        return (key, .array(tokens.filter(has)))
      }
      guard key.hasSuffix("_token"), let text = AddedTokenList.content(value) else {
        return (key, value)
      }
      return has(value) ? (key, .string(text)) : nil
    }
  }
}
