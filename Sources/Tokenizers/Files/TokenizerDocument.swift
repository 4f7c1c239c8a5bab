import Files

/// The contents of the two files that describe a tokenizer.
struct TokenizerDocument {
  private let spellings: [String]
  private let merges: [BytePairTokenizer.Merge]
  private let specialTokens: [TokenID]
  private let endOfText: String
  private let chatTemplate: JSONValue?
  private let pipeline: TokenizationPipeline?
  /// The settings that came with the tokenizer.
  private let settings: [(String, JSONValue)]
  /// The special tokens by name that a published template came with.
  private let namedTokens: [PublishedTemplate.NamedToken]
  /// The token that pads the texts of the model beside.
  private let padding: String?
  /// The number of tokens that the model beside takes.
  private let context: Int?

  init(
    _ tokenizer: any Tokenizer, template: ChatTemplate? = nil, padding: TokenID? = nil,
    context: Int? = nil
  ) {
    self.context = context
    settings = tokenizer.settings.members(for: tokenizer).map { ($0.key, $0.value) }
    self.padding = padding.flatMap { try? tokenizer.bytes(of: $0) }.map {
      String(decoding: $0, as: UTF8.self)
    }
    let source = template.map { JSONValue.string($0.jinja(for: tokenizer)) }
    if case .published(let published)? = template {
      namedTokens = published.specialTokens
      chatTemplate =
        published.toolUse.map { toolUse in
          [
            ["name": "default", "template": .string(published.source)],
            ["name": .string(TokenizerFile.toolUseName), "template": .string(toolUse.source)],
          ]
        } ?? source
    } else {
      namedTokens = []
      chatTemplate = source
    }
    endOfText = String(
      decoding: (try? tokenizer.bytes(of: tokenizer.endOfText)) ?? [], as: UTF8.self)
    pipeline = tokenizer as? TokenizationPipeline
    if let tokenizer = tokenizer as? BytePairTokenizer {
      spellings = tokenizer.spellings
      merges = tokenizer.merges
      specialTokens = tokenizer.specialTokens
    } else {
      precondition(
        tokenizer is ByteTokenizer || tokenizer is TokenizationPipeline,
        "no file format for a tokenizer of type \(type(of: tokenizer))")
      // A BPE without merges yields single bytes.
      spellings = ByteAlphabet.scalars.map { String($0) } + [ByteTokenizer.endOfTextToken]
      merges = []
      specialTokens = [tokenizer.endOfText]
    }
  }

  /// The contents of tokenizer.json, with the keys in the order of Hugging Face tokenizers.
  var tokenizerJSON: JSONValue {
    if let pipeline { return pipeline.document }
    return .tokenizer(
      addedTokens: specialTokens.map { .addedToken(spellings[Int($0)], id: Int($0)) },
      preTokenizer: .byteLevel(addPrefixSpace: false),
      // The decoder ignores the prefix space; `true` is what Hugging Face writes by default.
      decoder: .byteLevel(addPrefixSpace: true),
      model: .bytePairs(
        spellings.enumerated().map { (key: $1, id: $0) },
        merges: merges.map { (spellings[Int($0.left)], spellings[Int($0.right)]) }))
  }

  /// The contents of tokenizer_config.json for transformers.AutoTokenizer: the settings that came with
  /// the tokenizer, and those of the model and the chat template.
  var configurationJSON: JSONValue {
    let end = JSONValue.string(endOfText)
    var members: [String: JSONValue] = ["clean_up_tokenization_spaces": false]
    if pipeline == nil { members["add_prefix_space"] = false }
    // Without a published tokenizer_config.json no file names them.
    if namedTokens.isEmpty, settings.isEmpty {
      if let pipeline {
        for (role, texts) in Self.roles {
          members[role] = texts.first { pipeline.specialToken($0) != nil }.map { .string($0) }
        }
      } else {
        members["bos_token"] = end
      }
    }
    members.merge(settings) { $1 }
    // A published template renders with these, which may differ from the usual ones.
    members.merge(namedTokens.map { ($0.name, .string($0.text)) }) { $1 }
    members["tokenizer_class"] = "PreTrainedTokenizerFast"
    members["chat_template"] = chatTemplate
    // A published tokenizer may have none, as BERT's; a chat template needs it.
    if settings.isEmpty || chatTemplate != nil, members["eos_token"]?.isNull ?? true {
      members["eos_token"] = end
    }
    if let context {
      let stated = members["model_max_length"]?.number.map { min($0, Double(context)) }
      members["model_max_length"] = .integer(stated.map { Int($0) } ?? context)
    }
    if let padding { members["pad_token"] = .string(padding) }
    return .object(members.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
  }

  /// The usual written forms of each role's special token.
  private static let roles: [(key: String, texts: [String])] = [
    ("bos_token", ["<s>", "<|begin_of_text|>"]), ("cls_token", ["[CLS]"]),
    ("mask_token", ["[MASK]", "<mask>"]), ("pad_token", ["[PAD]", "<pad>"]),
    ("sep_token", ["[SEP]"]), ("unk_token", ["[UNK]", "<unk>"]),
  ]
}
