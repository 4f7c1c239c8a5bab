import Configuration
import Models
import Tokenizers

extension PretrainingOptions.Model {
  init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    family = try reader.choice("model.family", default: .gpt2, help: "architecture of the model")
    layers = try reader.integer(
      "model.layers", default: 4, in: 1...ModelLimits.layers, help: "number of transformer blocks")
    heads = try reader.integer(
      "model.heads", default: 4, in: 1...1024, help: "number of query heads")
    keyHeads = try reader.optionalInteger(
      "model.kvHeads", in: 1...1024,
      help: "number of key and value heads of llama; model.heads when absent")
    width = try reader.integer(
      "model.width", default: 128, in: 1...ModelLimits.width, help: "width of the residual stream")
    hidden = try reader.optionalInteger(
      "model.hidden", in: 1...ModelLimits.hidden,
      help: "width of the feed-forward layers; when absent 4 (bert, gpt2) or 8/3 (llama, gated t5) "
        + "× model.width")
    typedContext = try reader.optionalInteger(
      "model.context", in: 2...ModelLimits.context, unit: "tokens",
      help: "maximum sequence length; when absent 256, or with model.from that model's")
    dropout = try reader.number(
      "model.dropout", default: 0, in: 0...0.99,
      help: "dropout probability where the family has dropout")
    vocabulary = try reader.optionalInteger(
      "model.vocabulary", in: 1...ModelLimits.vocabulary,
      help: "vocabulary size; the tokenizer's when absent, may be larger")
    tied = try reader.choice(
      "model.tied", of: ["auto", "true", "false"], default: "auto",
      help: "ties the head to the token embedding; auto: false for llama, true for others"
    ).tiedFlag
    initialStd = try reader.number(
      "model.initialStd", default: 0.02, in: 1e-6...1,
      help: "standard deviation of the initial weights; larger values speed up small models")
    decoderLayers = try reader.optionalInteger(
      "model.decoderLayers", in: 1...ModelLimits.layers,
      help: "number of blocks of t5's decoder; model.layers when absent")
    isGated = try reader.boolean(
      "model.gated", default: true,
      help: "true: gated feed-forward of t5 1.1; false: ReLU of t5 1.0")
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
        of: "model.context",
        because: "bert adds a token before and one after a text; choose 3 or more")
    }
  }

  /// Returns the configuration of a new model for `tokenizer`.
  func configuration(tokenizer: any Tokenizer, _ reader: ConfigurationReader) throws
    -> any ModelConfiguration
  {
    let vocabulary = vocabulary ?? tokenizer.vocabularySize
    guard vocabulary >= tokenizer.vocabularySize else {
      throw reader.rejection(
        of: "model.vocabulary",
        because: "\(vocabulary) is less than the \(tokenizer.vocabularySize) ids of the tokenizer; "
          + "leave the key out or choose a larger value")
    }
    switch family {
    case .gpt2:
      var model = try GPT2Configuration(
        vocabulary: vocabulary, context: context, layers: layers, heads: heads, width: width,
        hidden: hidden, dropout: Float(dropout), tied: tied ?? true,
        endOfText: Int(tokenizer.endOfText))
      model.initialStd = Float(initialStd)
      return model
    case .llama:
      var model = try LlamaConfiguration(
        vocabulary: vocabulary, context: context, layers: layers, heads: heads,
        keyHeads: keyHeads, width: width, hidden: hidden, dropout: Float(dropout),
        tied: tied ?? false, endOfText: Int(tokenizer.endOfText))
      model.initialStd = Float(initialStd)
      return model
    case .t5:
      return try t5(tokenizer)
    case .bert:
      let padding = ["[PAD]", "<pad>"].lazy.compactMap(tokenizer.specialToken).first
      var model = try BERTConfiguration(
        vocabulary: vocabulary, context: context, layers: layers, heads: heads, width: width,
        hidden: hidden, dropout: Float(dropout), padding: Int(padding ?? tokenizer.endOfText))
      model.initialStd = Float(initialStd)
      return model
    }
  }
}

extension PretrainingOptions.Mask {
  init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    fraction = try reader.number(
      "mask.rate", default: 0.15, in: 0.01...0.9,
      help: "fraction of the tokens that bert predicts")
    wholeWords = try reader.boolean(
      "mask.wholeWords", default: false, help: "masks all tokens of a word together")
  }
}

extension PretrainingOptions.Family {
  /// The training objective of the family.
  var prediction: Prediction {
    switch self {
    case .gpt2, .llama: .causal
    case .bert: .masked
    case .t5: .sequenceToSequence
    }
  }
}

extension PretrainingOptions {
  /// Refuses keys that have no effect on a model with this prediction.
  func refuseIdle(
    _ prediction: Prediction, _ reader: ConfigurationReader
  ) throws(ConfigurationError) {
    let (text, masks, spans) = (
      ["data.documentMask", "evaluate.samples"], ["mask.rate", "mask.wholeWords"],
      ["spans.rate", "spans.mean"]
    )
    let keys =
      switch prediction {
      case .causal: masks + spans
      case .masked: text + spans
      case .sequenceToSequence: text + masks
      }
    for key in keys where reader.isChanged(key) {
      throw reader.rejection(
        of: key,
        because: start.map { "it has no effect with the model in \($0.from); leave it out" }
          ?? "it has no effect with model.family: \(model.family.rawValue); leave it out")
    }
  }

  /// Refuses the sizes of a new model when `model.from` names an existing one.
  func refuseSizes(_ reader: ConfigurationReader) throws(ConfigurationError) {
    guard let start else { return }
    let keys = [
      "family", "layers", "heads", "kvHeads", "width", "hidden", "dropout", "vocabulary", "tied",
      "initialStd", "decoderLayers", "gated",
    ]
    for key in keys.map({ "model.\($0)" }) where reader.isChanged(key) {
      throw reader.rejection(
        of: key,
        because: "the model in \(start.from) has its own value; leave out this key or model.from")
    }
  }
}

extension String {
  fileprivate var tiedFlag: Bool? { self == "auto" ? nil : self == "true" }
}

extension PretrainingOptions.Data {
  init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    train = try reader.strings(
      "data.train", decidesBits: false,
      help: "files (.txt, .jsonl, .gz), folders and globs; or a built dataset")
    (validationFraction, validation) = try reader.validation("data.validation", of: "documents")
    textField = try reader.string(
      "data.textField", default: "text", decidesBits: false,
      help: "field of JSON lines that holds the text")
    documentMask = try reader.boolean(
      "data.documentMask", default: false,
      help: "restricts attention to within a document; speeds up learning on short documents")
    replay = try PretrainingOptions.Replay(&reader)
  }
}

extension PretrainingOptions.Replay {
  /// Returns nil when `data.replay.train` is absent.
  init?(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    train = try reader.strings(
      "data.replay.train", default: [],
      decidesBits: false,
      help: "files, folders and globs, or a built dataset: a corpus whose replay prevents "
        + "forgetting")
    fraction = try reader.number(
      "data.replay.fraction", default: 0.2, in: 0..<1,
      help: "fraction of the rows of every step from the replayed corpus; 0 only evaluates on it")
    (validationFraction, validation) = try reader.validation(
      "data.replay.validation", of: "documents")
    guard train.isEmpty else { return }
    for key in ["data.replay.fraction", "data.replay.validation"] where reader.isChanged(key) {
      throw reader.rejection(
        of: key, because: "it has no effect without data.replay.train; set that, or leave this out")
    }
    return nil
  }
}
