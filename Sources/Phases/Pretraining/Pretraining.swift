import Checkpoints
import Configuration
import Datasets
import Models
import Tokenizers
import Training

/// Self-supervised training on text of a new model, or continued pretraining of an existing one.
///
/// The objective is causal language modelling, masked language modelling or span corruption.
package struct Pretraining: ConfiguredPhase {
  package let plan: TrainingPlan
  package let options: PretrainingOptions
  let task: any TextTask
  /// The token from which the first token of a text is predicted.
  let beginning: TokenID
  /// Positions of the model.
  let modelContext: Int
  /// The keys under `data` that the configuration sets, of those that a built dataset overrides.
  let writtenDataKeys: Set<String>

  /// Makes the plan from the keys, the tokenizer and the initial model, if any.
  package init(
    _ options: PretrainingOptions, _ reader: ConfigurationReader, bf16IsFaster: Bool
  ) throws {
    self.options = options
    writtenDataKeys = Set(
      ["data.validation", "data.textField", "data.replay.validation"].filter(reader.isWritten))
    let start = try options.start.map { try InitialModel($0, template: nil, reader) }
    let tokenizer = try options.tokenizer(of: start, reader)
    let model =
      try start?.folder.configuration(for: tokenizer)
      ?? options.model.configuration(tokenizer: tokenizer, reader)
    try options.refuseIdle(model.prediction, reader)
    modelContext = start?.context ?? model.context
    beginning = tokenizer.beginning(for: start?.folder.generation)
    task = try options.task(
      model, context: modelContext, tokenizer, beginning: beginning, reader)
    var settings: [String: String] = [:]
    if let start {
      settings = [TrainingPlan.initialWeightsKey: start.digest, "model.context": "\(modelContext)"]
      if beginning != tokenizer.beginning(for: nil) { settings["bos_token_id"] = "\(beginning)" }
    }
    let row = task.row(context: modelContext)
    plan = try TrainingPlan(
      options.training, reader, tokenizer: tokenizer, network: model, start: start,
      context: row.context, sourceContext: row.sourceContext, settings: settings,
      hasFullRows: true, bf16IsFaster: bf16IsFaster)
  }

  package static func sketch(
    _ options: PretrainingOptions, _ reader: ConfigurationReader, _ artifacts: PlannedArtifacts,
    bf16IsFaster: Bool
  ) throws -> PhaseSketch {
    let model =
      try options.start.map { try artifacts.model(in: $0.from) }
      ?? options.sketchModel(artifacts, reader)
    let row = options.sketchRow(model)
    return PhaseSketch(
      plan: try TrainingPlan(
        options.training, reader, network: model,
        context: row?.context ?? options.start?.context, sourceContext: row?.sourceContext,
        hasFullRows: true, bf16IsFaster: bf16IsFaster),
      evaluatedTokens: options.evaluateTokens)
  }

  /// The number of tokens of the stream that fill a row.
  var window: Int { task.row(context: modelContext).tokens }

  /// Opens the run's datasets, which rank 0 builds first where they do not exist.
  ///
  /// Collective.
  package func prepare(_ run: RunContext) throws -> PreparedPhase {
    let (folder, replay) = (run.folder.data, options.data.replay)
    // Missing files of the replayed corpus are reported before the first dataset is built.
    try run.world.together {
      guard let replay, run.world.rank == 0, !replay.corpus.isBuilt else { return }
      _ = try replay.corpus.plan()
    }
    let data = try options.data.corpus.dataset(in: folder, of: self, for: run)
    let replayed = try replay?.corpus.dataset(in: "\(folder)/replay", of: self, for: run)
    var settings = ["training tokens": data.train.identity]
    if let replayed { settings["replayed tokens"] = replayed.train.identity }
    let validation = [data, replayed].map { data in
      data.flatMap { $0.validation.tokens.count > 0 ? $0.validation.tokens : nil }
    }
    return PreparedPhase(
      objective: try objective(
        over: data.train.tokens,
        replay: replayed.map { Replay($0.train.tokens, fraction: replay?.fraction ?? 0) }),
      evaluator: try validation[0].map {
        try PretrainingEvaluator(self, tokens: $0, replay: validation[1])
      }, settings: settings)
  }

  /// Returns the objective over windows of `tokens` and of the replayed corpus.
  package func objective(
    over tokens: TokenStream, replay: Replay? = nil
  ) throws -> TokenObjective {
    TokenObjective(try task.source(tokens, plan, replay: replay))
  }
}

extension PretrainingOptions {
  /// Returns the tokenizer of the configuration, or else that of the initial model.
  fileprivate func tokenizer(
    of start: InitialModel?, _ reader: ConfigurationReader
  ) throws -> any Tokenizer {
    if let start, !reader.isChanged("tokenizer") { return start.folder.tokenizer }
    let tokenizer = try loadTokenizer()
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

  /// Loads the tokenizer of the configuration.
  private func loadTokenizer() throws -> any Tokenizer {
    tokenizer == "bytes" ? ByteTokenizer() : try TokenizerFile.load(from: tokenizer)
  }

  /// Returns the task that the model learns.
  fileprivate func task(
    _ model: any ModelConfiguration, context: Int, _ tokenizer: any Tokenizer, beginning: TokenID,
    _ reader: ConfigurationReader
  ) throws -> any TextTask {
    switch model.prediction {
    case .causal:
      return NextTokenTask(isolatesDocuments: data.documentMask, beginning: beginning)
    case .masked: return MaskedTokenTask(masking: try masking(tokenizer, reader))
    case .sequenceToSequence:
      return SpanCorruptionTask(
        corruption: try corruption(tokenizer, for: model, context: context, reader))
    }
  }

  /// Returns the sizes of the model that the configuration describes.
  fileprivate func sketchModel(
    _ artifacts: PlannedArtifacts, _ reader: ConfigurationReader
  ) throws -> any ModelConfiguration {
    guard let ids = artifacts.vocabularies[tokenizer] else {
      return try model.configuration(tokenizer: try loadTokenizer(), reader)
    }
    // The sizes depend only on the number of ids.
    var model = model
    model.vocabulary = model.vocabulary ?? ids
    return try model.configuration(tokenizer: ByteTokenizer(), reader)
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
