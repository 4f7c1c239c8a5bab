import Configuration
import Datasets
import Models
import Tokenizers

extension NewModel {
  init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    self.init(family: ModelFamilies.all[0])
    let families = ModelFamilies.all.map(\.name)
    let name = try reader.choice(
      "model.family", of: families, default: family.name, help: "architecture of the model")
    family = ModelFamilies.all.first { $0.name == name } ?? family
    layers = try reader.integer(
      "model.layers", default: layers, in: 1...ModelLimits.layers,
      help: "number of transformer blocks")
    heads = try reader.integer(
      "model.heads", default: heads, in: 1...1024, help: "number of query heads")
    keyHeads = try reader.optionalInteger(
      "model.kvHeads", in: 1...1024,
      help: "number of key and value heads of \(Self.families { $0.keys.contains(.kvHeads) }); "
        + "model.heads when absent")
    width = try reader.integer(
      "model.width", default: width, in: 1...ModelLimits.width,
      help: "width of the residual stream")
    let ratios = ModelFamilies.all.map { "\($0.feedForwardRatio) (\($0.name))" }
    hidden = try reader.optionalInteger(
      "model.hidden", in: 1...ModelLimits.hidden,
      help: "width of the feed-forward layers; when absent model.width × "
        + ratios.joined(separator: ", "))
    typedContext = try reader.optionalInteger(
      "model.context", in: 2...ModelLimits.context, unit: "tokens",
      help: "maximum sequence length; when absent \(context), or with model.from that model's")
    dropout = try reader.number(
      "model.dropout", default: dropout, in: 0...0.99,
      help: "dropout probability where the family has dropout")
    vocabulary = try reader.optionalInteger(
      "model.vocabulary", in: 1...ModelLimits.vocabulary,
      help: "vocabulary size; the tokenizer's when absent, may be larger")
    tied = Bool(
      try reader.choice(
        "model.tied", of: ["auto", "true", "false"], default: "auto",
        help: "ties the head to the token embedding; auto: false for "
          + "\(Self.families { !$0.isTied }), true for others"))
    initialStd = try reader.number(
      "model.initialStd", default: initialStd, in: 1e-6...1,
      help: "standard deviation of the initial weights; larger values speed up small models")
    decoderLayers = try reader.optionalInteger(
      "model.decoderLayers", in: 1...ModelLimits.layers,
      help: "number of blocks of t5's decoder; model.layers when absent")
    isGated = try reader.boolean(
      "model.gated", default: isGated,
      help: "true: gated feed-forward of t5 1.1; false: ReLU of t5 1.0")
    if let (key, reason) = refusal(reader.isChanged) {
      throw reader.rejection(of: key, because: reason)
    }
    try requireContext(reader)
  }

  /// Returns the names of the families that satisfy `condition`, for help texts.
  private static func families(_ condition: (ModelFamily) -> Bool) -> String {
    ModelFamilies.all.filter(condition).map(\.name).joined(separator: ", ")
  }

  /// Refuses a context that is too short for the family's training objective.
  private func requireContext(_ reader: ConfigurationReader) throws(ConfigurationError) {
    let (minimum, reason) =
      switch family.prediction {
      case .causal: (2, "predicts a token from another one")
      case .masked: (3, "adds a token before and one after a text")
      case .sequenceToSequence: (8, "needs inputs that are long enough for corrupted spans")
      }
    guard context < minimum else { return }
    throw reader.rejection(
      of: "model.context", because: "\(family.name) \(reason); choose \(minimum) or more")
  }

  /// Returns the configuration of a new model for `tokenizer`; a sequence-to-sequence model also has
  /// sentinels, if the tokenizer has none.
  func configuration(tokenizer: any Tokenizer, _ reader: ConfigurationReader) throws
    -> any ModelConfiguration
  {
    let known = tokenizer.vocabularySize
    guard vocabulary ?? known >= known else {
      throw reader.rejection(
        of: "model.vocabulary",
        because: "\(vocabulary ?? 0) is less than the \(known) ids of the tokenizer; "
          + "leave the key out or choose a larger value")
    }
    let sentinels =
      family.prediction == .sequenceToSequence ? SpanCorruption.missingSentinels(tokenizer) : 0
    return try configuration(
      NewModelIds(
        count: vocabulary ?? known + sentinels, endOfText: Int(tokenizer.endOfText),
        id: { tokenizer.specialToken($0).map(Int.init) }))
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

extension PretrainingOptions {
  /// Refuses keys that have no effect on a model with this prediction.
  func refuseIdle(
    _ prediction: Prediction, _ reader: ConfigurationReader
  ) throws(ConfigurationError) {
    let idle =
      switch prediction {
      case .causal: ["mask", "spans"]
      case .masked: ["data.documentMask", "evaluate.samples", "spans"]
      case .sequenceToSequence: ["data.documentMask", "evaluate.samples", "mask"]
      }
    try reader.refuse(
      idle,
      because: start.map { "it has no effect with the model in \($0.from); leave it out" }
        ?? "it has no effect with model.family: \(model.family.name); leave it out")
  }

  /// Refuses the sizes of a new model when `model.from` names an existing one.
  func refuseSizes(_ reader: ConfigurationReader) throws(ConfigurationError) {
    guard let start else { return }
    let keys = [
      "family", "layers", "heads", "kvHeads", "width", "hidden", "dropout", "vocabulary", "tied",
      "initialStd", "decoderLayers", "gated",
    ]
    try reader.refuse(
      keys.map { "model.\($0)" },
      because: "the model in \(start.from) has its own value; leave out this key or model.from")
  }
}

extension PretrainingOptions.Data {
  init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
    corpus = PretrainingCorpus(
      key: "data",
      train: try reader.strings(
        "data.train", decidesBits: false,
        help: "files (.txt, .jsonl, .gz), folders and globs; or a built dataset"),
      validation: try reader.validation("data.validation", of: "documents"),
      textField: try reader.string(
        "data.textField", default: "text", decidesBits: false,
        help: "field of JSON lines that holds the text"))
    documentMask = try reader.boolean(
      "data.documentMask", default: false,
      help: "restricts attention to within a document; speeds up learning on short documents")
    replay = try PretrainingOptions.Replay(&reader, textField: corpus.textField)
  }
}

extension PretrainingOptions.Replay {
  /// Returns nil when `data.replay.train` is absent.
  init?(
    _ reader: inout ConfigurationReader, textField: String
  ) throws(ConfigurationError) {
    let train = try reader.strings(
      "data.replay.train", default: [],
      decidesBits: false,
      help: "files, folders and globs, or a built dataset: a corpus whose replay prevents "
        + "forgetting")
    fraction = try reader.number(
      "data.replay.fraction", default: 0.2, in: 0..<1,
      help: "fraction of the rows of every step from the replayed corpus; 0 only evaluates on it")
    corpus = PretrainingCorpus(
      key: "data.replay", train: train,
      validation: try reader.validation("data.replay.validation", of: "documents"),
      textField: textField)
    guard train.isEmpty else { return }
    try reader.refuse(
      ["data.replay"],
      because: "it has no effect without data.replay.train; set that, or leave this out")
    return nil
  }
}
