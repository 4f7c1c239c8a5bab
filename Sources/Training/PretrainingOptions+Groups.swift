import Configuration
import Models
import Tokenizers

extension PretrainingOptions.Model {
  init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    family = try reader.choice("model.family", default: .gpt2, help: "architecture")
    layers = try reader.integer(
      "model.layers", default: 4, in: 1...ModelLimits.layers, help: "blocks")
    heads = try reader.integer("model.heads", default: 4, in: 1...1024, help: "query heads")
    keyHeads = try reader.optionalInteger(
      "model.kvHeads", in: 1...1024, help: "key and value heads of llama; heads when absent")
    width = try reader.integer(
      "model.width", default: 128, in: 1...ModelLimits.width, help: "size of the residual stream")
    hidden = try reader.optionalInteger(
      "model.hidden", in: 1...ModelLimits.hidden,
      help: "size of the feed-forward; 4 (bert, gpt2) or 8/3 (llama, gated t5) × width when absent")
    typedContext = try reader.optionalInteger(
      "model.context", in: 2...ModelLimits.context, unit: "tokens",
      help: "longest sequence; 256 when absent, with model.from the model's own")
    dropout = try reader.number(
      "model.dropout", default: 0, in: 0...0.99, help: "share dropped where the family has dropout")
    vocabulary = try reader.optionalInteger(
      "model.vocabulary", in: 1...ModelLimits.vocabulary,
      help: "token ids of the model; the tokenizer's when absent, may be larger")
    tied = try reader.choice(
      "model.tied", of: ["auto", "true", "false"], default: "auto",
      help: "whether head and embedding are one; auto: llama no, others yes"
    ).tiedFlag
    initialDeviation = try reader.number(
      "model.initialDeviation", default: 0.02, in: 1e-6...1,
      help: "standard deviation of the first weights; small models learn sooner with more")
    decoderLayers = try reader.optionalInteger(
      "model.decoderLayers", in: 1...ModelLimits.layers,
      help: "blocks of t5's decoder; as many as of its encoder when absent")
    isGated = try reader.boolean(
      "model.gated", default: true, help: "gated feed-forward of t5 1.1; ReLU of t5 1.0 if not")
    try requireOwnKeys(reader)
    if family != .llama && keyHeads != nil {
      throw reader.rejection(
        of: "model.kvHeads",
        because: "\(family.rawValue) has one key head per query head; leave it out")
    }
    if family == .bert && tied == false {
      throw reader.rejection(
        of: "model.tied", because: "bert's head is its token embedding; leave it out")
    }
    if family == .bert && context < 3 {
      throw reader.rejection(
        of: "model.context", because: "bert puts two tokens around a text; choose 3 or more")
    }
  }

  /// The model for a tokenizer.
  func configuration(tokenizer: any Tokenizer, _ reader: ConfigurationReader) throws
    -> any ModelConfiguration
  {
    let vocabulary = vocabulary ?? tokenizer.vocabularySize
    guard vocabulary >= tokenizer.vocabularySize else {
      throw reader.rejection(
        of: "model.vocabulary",
        because: "\(vocabulary) is less than the \(tokenizer.vocabularySize) ids of the tokenizer; "
          + "leave the key out or make it larger")
    }
    switch family {
    case .gpt2:
      var model = try GPT2Configuration(
        vocabulary: vocabulary, context: context, layers: layers, heads: heads, width: width,
        hidden: hidden, dropout: Float(dropout), tied: tied ?? true,
        endOfText: Int(tokenizer.endOfText))
      model.initialDeviation = Float(initialDeviation)
      return model
    case .llama:
      var model = try LlamaConfiguration(
        vocabulary: vocabulary, context: context, layers: layers, heads: heads,
        keyHeads: keyHeads, width: width, hidden: hidden, dropout: Float(dropout),
        tied: tied ?? false, endOfText: Int(tokenizer.endOfText))
      model.initialDeviation = Float(initialDeviation)
      return model
    case .t5:
      return try t5(tokenizer)
    case .bert:
      let padding = ["[PAD]", "<pad>"].lazy.compactMap(tokenizer.specialToken).first
      var model = try BERTConfiguration(
        vocabulary: vocabulary, context: context, layers: layers, heads: heads, width: width,
        hidden: hidden, dropout: Float(dropout), padding: Int(padding ?? tokenizer.endOfText))
      model.initialDeviation = Float(initialDeviation)
      return model
    }
  }
}

extension PretrainingOptions.Mask {
  init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    share = try reader.number(
      "mask.share", default: 0.15, in: 0.01...0.9,
      help: "share of the tokens that bert has to tell")
    wholeWords = try reader.boolean(
      "mask.wholeWords", default: false, help: "the tokens of a word are masked together")
  }
}

extension PretrainingOptions.Family {
  /// What its models tell.
  var prediction: Prediction {
    switch self {
    case .gpt2, .llama: .nextToken
    case .bert: .maskedToken
    case .t5: .target
    }
  }
}

extension PretrainingOptions {
  /// Refuses keys that say nothing of what a model with this prediction learns.
  func refuseIdle(
    _ prediction: Prediction, _ reader: ConfigurationReader
  ) throws(ConfigurationError) {
    let (text, masks, spans) = (
      ["data.documentMask", "evaluate.stories"], ["mask.share", "mask.wholeWords"],
      ["spans.share", "spans.mean"]
    )
    let keys =
      switch prediction {
      case .nextToken: masks + spans
      case .maskedToken: text + spans
      case .target: text + masks
      }
    for key in keys where reader.isChanged(key) {
      throw reader.rejection(
        of: key,
        because: start.map { "it has no effect with the model in \($0.from); leave it out" }
          ?? "it has no effect with model.family: \(model.family.rawValue); leave it out")
    }
  }

  /// Refuses keys of a model that is made, where one is gone on from.
  func refuseSizes(_ reader: ConfigurationReader) throws(ConfigurationError) {
    guard let start else { return }
    let keys = [
      "family", "layers", "heads", "kvHeads", "width", "hidden", "dropout", "vocabulary", "tied",
      "initialDeviation", "decoderLayers", "gated",
    ]
    for key in keys.map({ "model.\($0)" }) where reader.isChanged(key) {
      throw reader.rejection(
        of: key, because: "the model in \(start.from) has its own; leave it out, or model.from")
    }
  }
}

extension String {
  fileprivate var tiedFlag: Bool? { self == "auto" ? nil : self == "true" }
}

extension PretrainingOptions.Data {
  init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    train = try reader.strings(
      "data.train", default: ["aviary"],
      help: "files (.txt, .jsonl, .gz), folders and globs; a built dataset; aviary or "
        + "aviary-small")
    (validationShare, validation) = try reader.validation("data.validation")
    stories = try reader.integer(
      "data.stories", default: 20_000, in: 1..., help: "stories to write when train is an aviary")
    textField = try reader.string(
      "data.textField", default: "text", help: "field of JSON lines that holds the text")
    documentMask = try reader.boolean(
      "data.documentMask", default: false,
      help: "attention stays within a document; where these are short, models learn sooner")
    replay = try PretrainingOptions.Replay(&reader)
  }
}

extension PretrainingOptions.Replay {
  /// Reads the keys; nil where no corpus is named.
  init?(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    train = try reader.strings(
      "data.replay.train", default: [],
      help: "files, folders and globs, or a built dataset: a corpus that the model shall not forget"
    )
    share = try reader.number(
      "data.replay.share", default: 0.2, in: 0..<1,
      help: "share of the rows of every step that is drawn from it; 0 measures it only")
    (validationShare, validation) = try reader.validation("data.replay.validation")
    guard train.isEmpty else { return }
    for key in ["data.replay.share", "data.replay.validation"] where reader.isChanged(key) {
      throw reader.rejection(
        of: key, because: "it has no effect without data.replay.train; set that or leave it out")
    }
    return nil
  }
}

extension ConfigurationReader {
  /// What a corpus is validated on: a share of its documents, or files of their own.
  fileprivate mutating func validation(
    _ key: String
  ) throws(ConfigurationError) -> (share: Double, files: [String]) {
    let typed = try strings(
      key, default: ["0.1"],
      help: "share of the documents, or files, folders and globs of their own")
    guard typed.count == 1, let share = Double(typed[0]) else { return (0, typed) }
    guard share >= 0 && share < 1 else {
      throw rejection(of: key, because: "a share must be in 0..<1, not \(typed[0])")
    }
    return (share, [])
  }
}
