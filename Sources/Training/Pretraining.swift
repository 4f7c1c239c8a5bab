import Configuration
import Datasets
import Models
import Tensors
import Tokenizers

/// Self-supervised training on text of a new model, or continued pretraining of an existing one.
///
/// The objective is causal language modelling, masked language modelling or span corruption.
package struct Pretraining: Phase {
  package let plan: TrainingPlan
  /// The values of the configuration's keys.
  package let options: PretrainingOptions
  /// The masking of a masked language model; nil for other models.
  let masking: TokenMasking?
  /// The span corruption of a sequence-to-sequence model; nil for other models.
  let corruption: SpanCorruption?
  /// The keys under `data` that the configuration sets, of those that a built dataset overrides.
  let writtenDataKeys: Set<String>

  /// Makes the plan from the keys of `reader`, the tokenizer and the initial model, if any.
  ///
  /// - Parameter bf16IsFaster: True when the CPUs of all ranks compute faster in bf16 than in fp32.
  package init(
    _ reader: inout ConfigurationReader, bf16IsFaster: Bool = MatrixLibrary.bf16IsFaster
  ) throws {
    options = try PretrainingOptions(&reader)
    try reader.finish()
    writtenDataKeys = Set(
      ["data.validation", "data.textField", "data.replay.validation"].filter(reader.isWritten))
    let start = try options.start.map { try PhaseModel($0, reader) }
    let tokenizer = try options.tokenizer(of: start, reader)
    let model =
      try start?.folder.configuration(for: tokenizer)
      ?? options.model.configuration(tokenizer: tokenizer, reader)
    try options.refuseIdle(model.prediction, reader)
    masking = model.prediction == .masked ? try options.masking(tokenizer, reader) : nil
    corruption = try options.corruption(tokenizer, for: model, reader)
    let context = start?.context ?? model.context
    var settings: [String: String] = [:]
    if let start {
      settings = [TrainingPlan.initialWeightsKey: start.digest, "model.context": "\(context)"]
    }
    if let replay = options.data.replay { settings["data.replay.share"] = "\(replay.fraction)" }
    plan = try TrainingPlan(
      options.training, reader, tokenizer: tokenizer, network: .language(model), start: start,
      context: corruption?.sizes(ofSource: context).target,
      sourceContext: corruption == nil ? 0 : context, settings: settings,
      bf16IsFaster: bf16IsFaster)
  }

  /// The number of tokens of the stream that fill a row.
  var window: Int { corruption?.sizes(ofSource: plan.sourceContext).tokens ?? plan.context }

  /// Opens the run's datasets, which rank 0 builds first where they do not exist.
  ///
  /// Collective.
  package func prepare(_ run: RunContext) throws -> PreparedPhase {
    let folder = run.folder.data
    let (corpus, other) = (options.corpus(in: folder), options.replayed(in: "\(folder)/replay"))
    // Missing files of the replayed corpus are reported before the first dataset is built.
    try run.world.together {
      guard let other, run.world.rank == 0, !other.isBuilt else { return }
      _ = try other.plan()
    }
    let data = try PretrainingData.open(corpus, of: self, for: run)
    let replayed = try other.map { try PretrainingData.open($0, of: self, for: run) }
    var settings = ["training tokens": data.train.identity]
    if let replayed { settings["replayed tokens"] = replayed.train.identity }
    let validation = [data, replayed].map { data in
      data.flatMap { $0.validation.tokens.count > 0 ? $0.validation.tokens : nil }
    }
    return PreparedPhase(
      objective: try objective(
        over: data.train.tokens,
        replay: replayed.map {
          Replay($0.train.tokens, fraction: options.data.replay?.fraction ?? 0)
        }),
      evaluator: try validation[0].map {
        try PretrainingEvaluator(self, tokens: $0, replay: validation[1])
      }, settings: settings)
  }

  /// Returns the objective over windows of `tokens` and of the replayed corpus.
  package func objective(
    over tokens: TokenStream, replay: Replay? = nil
  ) throws -> TokenObjective {
    TokenObjective(try source(over: tokens, replay: replay))
  }

  /// Returns batches of windows of `tokens` and of the replayed corpus.
  func source(over tokens: TokenStream, replay: Replay? = nil) throws -> any BatchSource {
    let (microBatches, seed) = (plan.options.microBatches, UInt64(plan.options.seed))
    if let masking {
      return try MaskedTokenLoader(
        tokens: tokens, masking: masking, context: plan.context, sequences: plan.rows,
        microBatches: microBatches, seed: seed, replay: replay)
    }
    if let corruption {
      return try SpanCorruptionLoader(
        tokens: tokens, corruption: corruption, context: plan.sourceContext,
        sequences: plan.rows, microBatches: microBatches, seed: seed, replay: replay)
    }
    return try TrainingLoader(
      tokens: tokens, context: plan.context, sequences: plan.rows, microBatches: microBatches,
      seed: seed, replay: replay, isolatesDocuments: options.data.documentMask)
  }
}

extension PretrainingOptions {
  /// Returns the tokenizer of the configuration, or else that of the initial model.
  fileprivate func tokenizer(
    of start: PhaseModel?, _ reader: ConfigurationReader
  ) throws -> any Tokenizer {
    if let start, !reader.isChanged("tokenizer") { return start.folder.tokenizer }
    let tokenizer: any Tokenizer =
      tokenizer == "bytes" ? ByteTokenizer() : try TokenizerFile.load(from: tokenizer)
    if let start, try !start.folder.isExtended(by: tokenizer) {
      throw reader.rejection(
        of: "tokenizer",
        because:
          "\(self.tokenizer) is neither the tokenizer of \(start.folder.path) nor an extension of "
          + "it made by apus tokenizer extend; leave the key out")
    }
    if let start, start.folder.configuration.prediction == .sequenceToSequence,
      tokenizer.vocabularySize > start.folder.tokenizer.vocabularySize
    {
      throw reader.rejection(
        of: "tokenizer",
        because:
          "the sentinels of \(start.folder.path) may have the ids that new tokens would get; "
          + "leave the key out")
    }
    return tokenizer
  }

  /// Returns the masking of texts of `tokenizer`.
  fileprivate func masking(
    _ tokenizer: any Tokenizer, _ reader: ConfigurationReader
  ) throws(ConfigurationError) -> TokenMasking {
    let masking = TokenMasking(
      tokenizer, fraction: Float(mask.fraction), wholeWords: mask.wholeWords)
    guard let masking else {
      throw reader.rejection(
        of: "tokenizer",
        because: "\(start?.from ?? self.tokenizer) lacks [CLS], [SEP] or [MASK], which bert needs; "
          + "train one with apus tokenizer train --kind wordpiece")
    }
    return masking
  }
}
