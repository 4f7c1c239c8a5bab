/// What is written about a tokenizer: the pieces of its files.
struct TokenizerDocument {
  private let spellings: [String]
  private let merges: [BytePairTokenizer.Merge]
  private let specialTokens: [TokenID]
  private let endOfText: TokenID
  private let chatTemplate: String?

  init(_ tokenizer: any Tokenizer, template: ChatTemplate? = nil) {
    chatTemplate = template?.jinja(for: tokenizer)
    endOfText = tokenizer.endOfText
    if let tokenizer = tokenizer as? BytePairTokenizer {
      spellings = tokenizer.spellings
      merges = tokenizer.merges
      specialTokens = tokenizer.specialTokens
    } else {
      precondition(
        tokenizer is ByteTokenizer, "no file format for a tokenizer of type \(type(of: tokenizer))")
      // A BPE without merges gives the bytes one by one.
      spellings = ByteAlphabet.scalars.map { String($0) } + [ByteTokenizer.endOfTextToken]
      merges = []
      specialTokens = [tokenizer.endOfText]
    }
  }

  /// tokenizer.json, keys in the order of Hugging Face tokenizers.
  var tokenizerJSON: JSONElement {
    .object([
      ("version", .string("1.0")),
      ("truncation", .null),
      ("padding", .null),
      ("added_tokens", .array(specialTokens.map(addedToken))),
      ("normalizer", .null),
      ("pre_tokenizer", byteLevel(addPrefixSpace: false)),
      ("post_processor", .null),
      // The decoder ignores the prefix space; `true` is what Hugging Face writes by default.
      ("decoder", byteLevel(addPrefixSpace: true)),
      ("model", model),
    ])
  }

  /// tokenizer_config.json for transformers.AutoTokenizer.
  var configurationJSON: JSONElement {
    let token = JSONElement.string(spellings[Int(endOfText)])
    let template =
      chatTemplate.map { [(key: "chat_template", value: JSONElement.string($0))] } ?? []
    return .object(
      [("add_prefix_space", .bool(false)), ("bos_token", token)] + template + [
        ("clean_up_tokenization_spaces", .bool(false)),
        ("eos_token", token),
        ("tokenizer_class", .string("PreTrainedTokenizerFast")),
      ])
  }

  private func addedToken(_ id: TokenID) -> JSONElement {
    .object([
      ("id", .integer(Int(id))),
      ("content", .string(spellings[Int(id)])),
      ("single_word", .bool(false)),
      ("lstrip", .bool(false)),
      ("rstrip", .bool(false)),
      ("normalized", .bool(false)),
      ("special", .bool(true)),
    ])
  }

  private func byteLevel(addPrefixSpace: Bool) -> JSONElement {
    .object([
      ("type", .string("ByteLevel")),
      ("add_prefix_space", .bool(addPrefixSpace)),
      ("trim_offsets", .bool(true)),
      ("use_regex", .bool(true)),
    ])
  }

  private var model: JSONElement {
    let vocabulary = spellings.enumerated().map { (key: $1, value: JSONElement.integer($0)) }
    let pairs = merges.map {
      JSONElement.array([.string(spellings[Int($0.left)]), .string(spellings[Int($0.right)])])
    }
    return .object([
      ("type", .string("BPE")),
      ("dropout", .null),
      ("unk_token", .null),
      ("continuing_subword_prefix", .null),
      ("end_of_word_suffix", .null),
      ("fuse_unk", .bool(false)),
      ("byte_fallback", .bool(false)),
      ("ignore_merges", .bool(false)),
      ("vocab", .object(vocabulary)),
      ("merges", .array(pairs)),
    ])
  }
}
