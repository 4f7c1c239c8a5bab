import Files

/// A class of transformers (5.24) that builds its tokenizer from the vocabulary, the merges and the
/// settings in tokenizer_config.json, and ignores the other parts of a tokenizer.json.
///
/// Other names stand for its class `TokenizersBackend`, which takes a tokenizer.json as it is.
enum TokenizerClass: String, CaseIterable, Sendable {
  case bert = "BertTokenizer"
  case gpt2 = "GPT2Tokenizer"
  case qwen2 = "Qwen2Tokenizer"
  case llama = "LlamaTokenizer"
  case gemma = "GemmaTokenizer"
  case t5 = "T5Tokenizer"

  /// Finds the class by its name, by that with the suffix `Fast`, or by another one of the same class.
  init?(name: String) {
    let name = Self.withoutSuffix(name)
    guard let kind = Self(rawValue: Self.aliases.contains(name) ? "BertTokenizer" : name) else {
      return nil
    }
    self = kind
  }

  /// The name of a class without the suffix `Fast`.
  static func withoutSuffix(_ name: String) -> String {
    name.hasSuffix("Fast") ? String(name.dropLast(4)) : name
  }

  /// Further names of `BertTokenizer` in transformers.
  static let aliases: Set = [
    "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer", "ConvBertTokenizer",
    "LayoutLMTokenizer", "SqueezeBertTokenizer",
  ]

  /// The name of a special token in the settings, such as `bos_token`, and its text.
  typealias NamedToken = (name: String, text: String)

  /// The special tokens of the class where the settings name none, in the order in which missing ones
  /// are added to a vocabulary.
  var specialTokens: [NamedToken] {
    switch self {
    case .bert:
      [
        ("unk_token", "[UNK]"), ("sep_token", "[SEP]"), ("pad_token", "[PAD]"),
        ("cls_token", "[CLS]"), ("mask_token", "[MASK]"),
      ]
    case .gpt2: ["bos_token", "eos_token", "unk_token"].map { ($0, "<|endoftext|>") }
    case .qwen2: ["eos_token", "unk_token", "pad_token"].map { ($0, "<|endoftext|>") }
    case .llama: [("bos_token", "<s>"), ("eos_token", "</s>"), ("unk_token", "<unk>")]
    case .gemma:
      [
        ("bos_token", "<bos>"), ("eos_token", "<eos>"), ("unk_token", "<unk>"),
        ("pad_token", "<pad>"), ("mask_token", "<mask>"),
      ]
    case .t5: [("eos_token", "</s>"), ("unk_token", "<unk>"), ("pad_token", "<pad>")]
    }
  }

  /// The classes of transformers' models by `model_type`, where the settings name none.
  static let registered: [String: TokenizerClass] = [
    "bert": .bert, "distilbert": .bert, "gpt2": .gpt2, "qwen2": .qwen2, "qwen2_moe": .qwen2,
    "qwen3": .qwen2, "qwen3_moe": .qwen2, "gemma": .gemma, "gemma2": .gemma, "gemma3": .gemma,
    "gemma3_text": .gemma, "t5": .t5, "mt5": .t5,
  ]

  /// The values of `model_type` for which transformers takes `TokenizersBackend`, whatever class the
  /// settings name.
  static let asPublished: Set<String> = Set(
    """
    EvollaModel arctic aria beam bigbird_pegasus camembertv2-base canary chatlm cohere_asr ernie4_5 \
    ernie4_5_moe flex_olmo fuyu glm glm4 glm4_moe glm4_moe_lite glm4v glm4v_moe glm_image glmasr \
    got_ocr2 gpt_bigcode gradium_phonon_tts granite granitemoe granitemoehybrid granitemoeshared \
    h2ovl_chat hyperclovax hyperclovax_vlm internlm2 internlm3 iquestcoder jamba kimi_k25 \
    kimi_linear kosmos-2 llava llava_next mimo_v2_flash minicpm3 minicpm_ocr minicpmv minicpmv4_6 \
    minicpmv4_7 minimax_m2 ministral ministral3 mistral mistral3 mistral_large4 mixtral modernbert \
    modernbert-decoder molmo molmo2 nemo_speechlm nemotron nvfp4 nystromformer olmo2 olmo3 \
    olmo_hybrid omniasr opencua openvla paddleocr_vl pegasus_x persimmon phi3 phi3_v phimoe \
    pix2struct pixtral pocket_tts smolvlm stablelm step3_vl umt5 vipllava voxtral voxtral_realtime \
    xlm-roberta-xl
    """.split(separator: " ").map(String.init))

  /// The values of `model_type` with classes of transformers that are not among the cases.
  static let others: Set<String> = Set(
    """
    aimv2 albert aya_vision bart barthez bartpho bert-generation bert-japanese bertweet big_bird \
    biogpt blenderbot blenderbot-small bridgetower byt5 camembert canine clap clip clipseg clvp \
    code_llama cohere cohere2 cpm cpmant ctrl data2vec-audio data2vec-text deberta deberta-v2 dia \
    dpr esm esmc esmfold2 falcon_mamba flaubert florence2 fnet fsmt funnel gpt-sw3 gpt_neox \
    gpt_neox_japanese granite_speech5_ctc groupvit gte herbert hubert ibert jina_embeddings_v3 \
    lasr_ctc lasr_encoder layoutlmv2 layoutlmv3 layoutxlm led lilt longformer luke m2m_100 mamba \
    mamba2 marian markuplm mbart mbart50 mega metaclip_2 mgp-str mluke mpnet mpt mra mvp myt5 \
    nemotron3_5_asr nemotron_asr_streaming nllb nllb-moe nougat olmo olmoe omdet-turbo \
    omniasr_ctc oneformer openai-gpt owlv2 owlvit parakeet_ctc parakeet_rnnt parakeet_tdt pegasus \
    perceiver phobert plbart pp_formulanet prophetnet qwen3_5 qwen3_5_moe qwen3_5_moe_text \
    qwen3_5_text qwen4_exp rag reformer rembert roberta roberta-prelayernorm roc_bert roformer \
    rwkv sam3 sam3_video seamless_m4t seamless_m4t_v2 siglip siglip2 speech_to_text speecht5 \
    splinter tapas tipsv2 trocr udop unispeech unispeech-sat videoprism vits wav2vec2 \
    wav2vec2-bert wav2vec2-conformer wav2vec2_phoneme whisper xclip xglm xlm xlm-roberta xlnet \
    xlstm xmod yoso
    """.split(separator: " ").map(String.init))
}

extension TokenizerConfiguration {
  /// The class that transformers' `AutoTokenizer` takes for a folder with `document`, a tokenizer.json;
  /// nil for `TokenizersBackend`.
  func kind(of document: JSONValue) -> TokenizerClass? {
    let kind = statedKind
    let steps = Self.preTokenizers(of: document).compactMap { $0["type"]?.string }
    return switch kind {
    // Llama 3 names the class of Llama 2, whose tokenizer does not split texts into bytes.
    case .llama where steps.contains("ByteLevel"): nil
    // Only a Unigram has the scores that T5's class needs.
    case .t5 where document["model"]?["type"]?.string != "Unigram": nil
    default: kind
    }
  }

  /// The class that the settings and the model's `model_type` ask for, whatever the vocabulary; nil for
  /// `TokenizersBackend`.
  var statedKind: TokenizerClass? {
    let type = model?["model_type"]?.string ?? ""
    if type == "qwen2" { return .qwen2 }
    if TokenizerClass.asPublished.contains(type) { return nil }
    return className.map { TokenizerClass(name: $0) } ?? TokenizerClass.registered[type]
  }

  /// Returns the class that reads `file`, a file of a folder without a tokenizer.json; nil where none
  /// is stated.
  ///
  /// Throws for a class that is not among `kinds`, because it reads the same files in another way:
  /// that of RoBERTa puts tokens around each text.
  ///
  /// - Parameter orNone: True for a file that `TokenizersBackend` reads too.
  func kind(
    reading file: String, by kinds: [TokenizerClass], orNone: Bool = false
  ) throws(TokenizerError) -> TokenizerClass? {
    let type = model?["model_type"]?.string ?? ""
    if orNone, TokenizerClass.asPublished.contains(type) { return nil }
    let kind = statedKind ?? className.flatMap { TokenizerClass(name: $0) }
    if let kind, kinds.contains(kind) { return kind }
    let backends = ["PreTrainedTokenizer", "TokenizersBackend"]
    let foreign: String
    switch kind?.rawValue ?? className {
    case let name? where orNone && backends.contains(TokenizerClass.withoutSuffix(name)): return nil
    case let name?: foreign = "transformers' class \(name)"
    case nil where TokenizerClass.others.contains(type): foreign = "the model_type \(type)"
    case nil: return nil
    }
    throw .foreignFormat(path: FileSystem.join(folder, file), format: foreign)
  }

  /// The name of a class in the settings, or else in those of the model.
  var className: String? { tokenizerClass ?? model?["tokenizer_class"]?.string }

  /// The settings of the model beside.
  private var model: JSONValue? {
    try? JSONFile(path: FileSystem.join(folder, "config.json")).root
  }

  static func preTokenizers(of document: JSONValue) -> [JSONValue] {
    [document["pre_tokenizer"]].compactMap(\.self).flatMap {
      [$0] + ($0["pretokenizers"]?.array ?? [])
    }
  }
}
