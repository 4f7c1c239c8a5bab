import Configuration
import Datasets
import Models
import Tensors
import Tokenizers

/// Self-supervised training on text: the next token of every position, or masked tokens.
public struct Pretraining: Phase {
  /// What is settled of the run.
  public let plan: TrainingPlan
  /// What was typed, with every default.
  public let options: PretrainingOptions
  /// What is masked; nil where the next token is told.
  let masking: TokenMasking?
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
    plan = try TrainingPlan(
      options.training, reader, tokenizer: tokenizer,
      network: .language(try options.model.configuration(tokenizer: tokenizer, reader)),
      halvesAreQuick: halvesAreQuick)
  }

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

  /// The next tokens, or the masked ones, of windows of `tokens`.
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
