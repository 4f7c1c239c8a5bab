import Files

/// The part that a key of tokenizer_config.json plays.
enum TokenizerKeyUse: Sendable, Equatable {
  /// The ids, a text of ids, or the chat template depend on the value.
  case computed
  /// Every value but null, false and an empty one is refused.
  case refused
  /// The value is not read.
  case irrelevant(because: String)
}

extension TokenizerConfiguration {
  /// The keys that transformers (5.24) reads for the supported classes, and those of older versions.
  ///
  /// A copy of the tokenizer keeps the value unless the copy's other files state it, or it is about
  /// the folder itself.
  static let keys: [(names: [String], use: TokenizerKeyUse, isKept: Bool)] = [
    (
      [
        "tokenizer_class", "add_bos_token", "add_eos_token", "chat_template",
        "added_tokens_decoder",
      ],
      .computed, false
    ),
    (
      [
        "add_prefix_space", "legacy", "do_lower_case", "strip_accents", "tokenize_chinese_chars",
        "extra_ids",
      ], .computed, true
    ),
    (
      [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
        "extra_special_tokens", "additional_special_tokens", "model_specific_special_tokens",
      ], .computed, true
    ),
    // Special tokens in a text as ordinary text, another pre-tokenizer, and spaces lost in BPE's texts.
    (
      [
        "split_special_tokens", "fix_mistral_regex",
        "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output",
      ], .refused, true
    ),
    (
      [
        "model_max_length", "max_len", "max_length", "stride", "truncation_side",
        "truncation_strategy", "padding_side", "pad_to_multiple_of", "pad_token_type_id",
        "model_input_names",
      ],
      .irrelevant(
        because: "commands pad and cut texts to the model's context by their own options"), true
    ),
    (
      ["_json_padding", "_json_truncation", "tokenizer_padding", "tokenizer_truncation"],
      .irrelevant(because: "commands pad and cut texts as they need"), false
    ),
    (
      ["clean_up_tokenization_spaces"],
      .irrelevant(
        because:
          "transformers ignores it for BPE, the decoder of WordPiece does it anyway, and for "
          + "Unigram it changes only the spaces of a printed text"), true
    ),
    (
      [
        "vocab", "merges", "vocab_file", "merges_file", "tokenizer_file", "tokenizer_object",
        "tokenizer", "gguf_file", "post_processor", "unk_id", "_spm_precompiled_charsmap",
        "full_tokenizer_file", "init_inputs", "files_loaded", "backend",
      ], .irrelevant(because: "the files of the folder hold the vocabulary and the pipeline"), false
    ),
    (
      [
        "do_basic_tokenize", "never_split", "sp_model_kwargs", "use_default_system_prompt",
        "spaces_between_special_tokens", "errors", "add_dummy_prefix_space", "from_slow",
        "wordpieces_prefix", "trim_offsets", "clean_text", "remove_space", "keep_accents",
        "response_schema",
      ], .irrelevant(because: "transformers 5 keeps it without any effect on the classes here"),
      true
    ),
    (
      [
        "name_or_path", "_name_or_path", "_commit_hash", "transformers_version", "processor_class",
        "auto_map", "verbose", "special_tokens_map_file", "tokenizer_config_file", "is_local",
        "local_files_only",
      ],
      .irrelevant(because: "it says where the tokenizer comes from and which programs open it"),
      false
    ),
    (
      ["chat_control_tokens", "response_template"],
      .irrelevant(because: "it is about calls in Python that check or parse messages"), true
    ),
  ]

  /// The keys whose value may be a list of special tokens.
  static let tokenLists = ["extra_special_tokens", "additional_special_tokens"]

  /// The keys of the file that are not in the list, in order of their names.
  var unknownKeys: [String] {
    let known = Set(Self.keys.flatMap(\.names))
    // Tokens for templates, such as `image_token`, have any name.
    return settings.map(\.key).filter { !known.contains($0) && !$0.hasSuffix("_token") }.sorted()
  }

  /// Refuses values that would need another tokenizer.
  func refuseUnsupported() throws(TokenizerError) {
    let refused = Set(Self.keys.filter { $0.use == .refused }.flatMap(\.names))
    for (name, value) in settings where refused.contains(name) && !value.isNull {
      if value.bool == false { continue }
      throw unsupported(name, value)
    }
  }

  /// The texts that the settings declare as special tokens.
  var specialTokens: [String] {
    (namedTokens().map(\.entry) + extraTokens + (addedTokens ?? []))
      .compactMap(AddedTokenList.content)
  }
}

extension TokenizerFile {
  /// Returns notes about settings in the folder at `path` that `tokenizer`, which was loaded from it,
  /// does not follow.
  package static func notes(
    from path: String, for tokenizer: any Tokenizer
  ) throws(TokenizerError) -> [String] {
    let configuration = try TokenizerConfiguration(folder: path)
    var notes: [String] = []
    func note(_ names: [String], _ sentence: (_ they: String) -> String) {
      if names.isEmpty { return }
      notes.append(
        "\(FileSystem.join(path, configurationName)) has \(names.joined(separator: ", ")), "
          + sentence(names.count == 1 ? "it is" : "they are"))
    }
    note(configuration.unknownKeys) { they in
      "which transformers' tokenizers do not have: \(they) ignored, as there."
    }
    var missing: [String] = []
    for text in configuration.specialTokens
    where tokenizer.specialToken(text) == nil && !missing.contains(text) { missing.append(text) }
    note(missing.filter { !isAdded($0, in: tokenizer) }) { they in
      "special tokens that the tokenizer lacks, and for which the model has no embedding: \(they) "
        + "ordinary text here."
    }
    return notes
  }

  /// Returns true when `text` is one id, such as an added token that is not special.
  private static func isAdded(_ text: String, in tokenizer: any Tokenizer) -> Bool {
    tokenizer.encode(text).count == 1
  }
}
