import Configuration
import Datasets
import Models
import Tensors
import Tokenizers

/// Self-supervised training on text: the next token of every position, masked tokens, or spans.
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

  /// Settles what the keys of `reader` say; loads the tokenizer.
  ///
  /// - Parameter halvesAreQuick: Whether the CPUs of all ranks are quicker in bf16 than in fp32.
  public init(
    _ reader: inout ConfigurationReader, halvesAreQuick: Bool = MatrixLibrary.hasHalfProducts
  ) throws {
    options = try PretrainingOptions(&reader)
    try reader.finish()
    writtenDataKeys = Set(["data.validation", "data.textField"].filter(reader.isWritten))
    let tokenizer: any Tokenizer =
      options.tokenizer == "bytes"
      ? ByteTokenizer() : try TokenizerFile.load(from: options.tokenizer)
    masking = options.model.family == .bert ? try options.masking(tokenizer, reader) : nil
    let model = try options.model.configuration(tokenizer: tokenizer, reader)
    let t5 = model as? T5Configuration
    let corruption = try t5.map { [options] in
      try options.corruption(tokenizer, for: $0, reader)
    }
    self.corruption = corruption
    let sizes = corruption?.sizes(ofSource: model.context)
    plan = try TrainingPlan(
      options.training, reader, tokenizer: tokenizer, network: .language(model),
      context: sizes?.target, sourceContext: sizes == nil ? 0 : model.context,
      halvesAreQuick: halvesAreQuick)
  }

  /// Tokens of the stream that fill a row.
  var window: Int { corruption?.sizes(ofSource: plan.sourceContext).tokens ?? plan.context }

  /// Opens the run's dataset, which rank 0 builds first if need be.
  ///
  /// Collective.
  public func prepare(_ site: PhaseSite) throws -> PhaseWork {
    let data = try PretrainingData.open(self, at: site)
    let hasValidation = data.validation.tokens.count > 0
    return PhaseWork(
      objective: try objective(over: data.train.tokens),
      evaluator: hasValidation
        ? try PretrainingEvaluator(self, tokens: data.validation.tokens) : nil,
      terms: ["training tokens": data.train.identity])
  }

  /// The next tokens, the masked ones or the spans of windows of `tokens`.
  public func objective(over tokens: TokenStream) throws -> TokenObjective {
    TokenObjective(try source(over: tokens))
  }

  /// Batches of windows of `tokens`.
  func source(over tokens: TokenStream) throws -> any BatchSource {
    let (microBatches, seed) = (plan.options.microBatches, UInt64(plan.options.seed))
    if let masking {
      return try MaskedTokenLoader(
        tokens: tokens, masking: masking, context: plan.context, sequences: plan.rows,
        microBatches: microBatches, seed: seed)
    }
    if let corruption {
      return try SpanCorruptionLoader(
        tokens: tokens, corruption: corruption, context: plan.sourceContext,
        sequences: plan.rows, microBatches: microBatches, seed: seed)
    }
    return try TrainingLoader(
      tokens: tokens, context: plan.context, sequences: plan.rows, microBatches: microBatches,
      seed: seed, isolatesDocuments: options.data.documentMask)
  }
}

extension PretrainingOptions {
  /// What is masked of the texts of `tokenizer`.
  fileprivate func masking(
    _ tokenizer: any Tokenizer, _ reader: ConfigurationReader
  ) throws(ConfigurationError) -> TokenMasking {
    let masking = TokenMasking(
      tokenizer, share: Float(mask.share), wholeWords: mask.wholeWords)
    guard let masking else {
      throw reader.rejection(
        of: "tokenizer",
        because: "\(self.tokenizer) lacks [CLS], [SEP] or [MASK], which bert needs; make one "
          + "with apus tokenizer train --kind wordpiece")
    }
    return masking
  }
}
