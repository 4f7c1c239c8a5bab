import Configuration
import Datasets
import Models
import Tensors
import Tokenizers

/// Self-supervised training on text: the next token of every position, masked tokens, or spans; of a
/// new model, or of one that goes on, as on the texts of another domain.
public struct Pretraining: Phase {
  /// What is settled of the run.
  public let plan: TrainingPlan
  /// What was typed, with every default.
  public let options: PretrainingOptions
  /// What is masked; nil where the next token is told.
  let masking: TokenMasking?
  /// What is taken out of sources; nil where there are none.
  let corruption: SpanCorruption?
  /// Those of the keys under `data` that the user wrote.
  let writtenDataKeys: Set<String>

  /// Settles what the keys of `reader` say; loads the tokenizer, and looks at the model that training
  /// goes on from.
  ///
  /// - Parameter halvesAreQuick: Whether the CPUs of all ranks are quicker in bf16 than in fp32.
  public init(
    _ reader: inout ConfigurationReader, halvesAreQuick: Bool = MatrixLibrary.hasHalfProducts
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
    masking = model.prediction == .maskedToken ? try options.masking(tokenizer, reader) : nil
    let t5 = model as? T5Configuration
    let corruption = try t5.map { [options] in
      try options.corruption(tokenizer, for: $0, reader)
    }
    self.corruption = corruption
    let context = start?.context ?? model.context
    var terms: [String: String] = [:]
    if let start {
      terms = [TrainingPlan.firstWeights: start.digest, "model.context": "\(context)"]
    }
    if let replay = options.data.replay { terms["data.replay.share"] = "\(replay.share)" }
    plan = try TrainingPlan(
      options.training, reader, tokenizer: tokenizer, network: .language(model), start: start,
      context: corruption?.sizes(ofSource: context).target,
      sourceContext: corruption == nil ? 0 : context, terms: terms,
      halvesAreQuick: halvesAreQuick)
  }

  /// Tokens of the stream that fill a row.
  var window: Int { corruption?.sizes(ofSource: plan.sourceContext).tokens ?? plan.context }

  /// Opens the run's datasets, which rank 0 builds first if need be.
  ///
  /// Collective.
  public func prepare(_ site: PhaseSite) throws -> PhaseWork {
    let folder = site.folder.data
    let (corpus, other) = (options.corpus(in: folder), options.replayed(in: "\(folder)/replay"))
    // What is missing of the second corpus is told before the first is built.
    try site.world.together {
      guard let other, site.world.rank == 0, !other.isBuilt else { return }
      _ = try other.plan()
    }
    let data = try PretrainingData.open(corpus, of: self, at: site)
    let replayed = try other.map { try PretrainingData.open($0, of: self, at: site) }
    var terms = ["training tokens": data.train.identity]
    if let replayed { terms["replayed tokens"] = replayed.train.identity }
    let validation = [data, replayed].map { data in
      data.flatMap { $0.validation.tokens.count > 0 ? $0.validation.tokens : nil }
    }
    return PhaseWork(
      objective: try objective(
        over: data.train.tokens,
        replay: replayed.map { Replay($0.train.tokens, share: options.data.replay?.share ?? 0) }),
      evaluator: try validation[0].map {
        try PretrainingEvaluator(self, tokens: $0, replay: validation[1])
      }, terms: terms)
  }

  /// The next tokens, the masked ones or the spans of windows of `tokens`, and of what is replayed.
  public func objective(
    over tokens: TokenStream, replay: Replay? = nil
  ) throws -> TokenObjective {
    TokenObjective(try source(over: tokens, replay: replay))
  }

  /// Batches of windows of `tokens`, and of what is replayed.
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
  /// The tokenizer as typed, or that of the model that is gone on from.
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
          "\(self.tokenizer) is neither the tokenizer of \(start.folder.path) nor made of it "
          + "by apus tokenizer extend; leave it out")
    }
    if let start, start.folder.configuration.prediction == .target,
      tokenizer.vocabularySize > start.folder.tokenizer.vocabularySize
    {
      throw reader.rejection(
        of: "tokenizer",
        because:
          "the sentinels of \(start.folder.path) may stand behind its tokens, where new ones "
          + "would; leave it out")
    }
    return tokenizer
  }

  /// What is masked of the texts of `tokenizer`.
  fileprivate func masking(
    _ tokenizer: any Tokenizer, _ reader: ConfigurationReader
  ) throws(ConfigurationError) -> TokenMasking {
    let masking = TokenMasking(
      tokenizer, share: Float(mask.share), wholeWords: mask.wholeWords)
    guard let masking else {
      throw reader.rejection(
        of: "tokenizer",
        because: "\(start?.from ?? self.tokenizer) lacks [CLS], [SEP] or [MASK], which bert needs; "
          + "make one with apus tokenizer train --kind wordpiece")
    }
    return masking
  }
}
