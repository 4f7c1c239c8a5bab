import Configuration
import Datasets
import Models
import Tensors
import Tokenizers

/// Self-supervised training on text: the next token of every position.
public struct Pretraining: Phase {
  /// What is settled of the run.
  public let plan: TrainingPlan
  /// What was typed, with every default.
  public let options: PretrainingOptions
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

  /// The next tokens of windows of `tokens`.
  public func objective(over tokens: TokenStream) throws -> NextTokenObjective {
    NextTokenObjective(
      try TrainingLoader(
        tokens: tokens, context: plan.context, sequences: plan.rows,
        microBatches: plan.options.microBatches, seed: UInt64(plan.options.seed),
        isolatesDocuments: options.data.documentMask))
  }
}
