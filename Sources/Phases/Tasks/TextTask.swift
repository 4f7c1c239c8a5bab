import Datasets
import Tokenizers
import Training

/// A self-supervised task on text: how windows of tokens become batches, and what its loss is.
///
/// A new task is a conformer in this folder and a line in `Pretraining.swift`.
protocol TextTask: Sendable {
  /// The prefix of the names of its figures; empty for the loss of all tokens.
  var figurePrefix: String { get }

  /// True when a text must fill at least one row.
  var needsWholeRows: Bool { get }

  /// Returns the sizes of a row for a model of `context` positions.
  func row(context: Int) -> TextRow

  /// Returns training batches of windows of `tokens` and of the replayed corpus.
  func source(
    _ tokens: TokenStream, _ plan: TrainingPlan, replay: Replay?
  ) throws -> any BatchSource

  /// Returns batches of about `tokenLimit` of `tokens`, evenly spaced; of all without a limit.
  func evaluationSource(
    _ tokens: TokenStream, context: Int, sequences: Int, tokenLimit: Int?
  ) throws -> any EvaluationSource
}

extension TextTask {
  var needsWholeRows: Bool { true }

  /// Returns the largest number of positions, at most `context`, whose rows `tokens` tokens fill.
  func context(filledBy tokens: Int, atMost context: Int) -> Int {
    guard needsWholeRows else { return context }
    // 3 positions hold a token between two special ones.
    let candidates = 3...max(3, min(context, tokens + 2))
    return candidates.last { row(context: $0).tokens < tokens } ?? context
  }
}

/// The sizes of a row of a text task.
struct TextRow: Equatable, Sendable {
  /// Positions of the row: of decoder inputs where there is an encoder.
  let context: Int
  /// Positions of the encoder input; 0 without an encoder.
  let sourceContext: Int
  /// Tokens of the stream that fill the row.
  let tokens: Int
}

/// Causal language modelling: every next token is a target.
struct NextTokenTask: TextTask {
  /// True to keep attention within a document.
  var isolatesDocuments = false
  /// The input from which the first token of a document is predicted; the end-of-text when nil.
  var beginning: TokenID?
  /// True when the end-of-text after each document is a target of evaluations.
  var countsEnds = true

  let figurePrefix = ""
  let needsWholeRows = false

  func row(context: Int) -> TextRow {
    TextRow(context: context, sourceContext: 0, tokens: context)
  }

  func source(
    _ tokens: TokenStream, _ plan: TrainingPlan, replay: Replay?
  ) throws -> any BatchSource {
    try TrainingLoader(
      tokens: tokens, context: plan.context, sequences: plan.rows, microBatches: plan.microBatches,
      seed: plan.seed, replay: replay, isolatesDocuments: isolatesDocuments, beginning: beginning)
  }

  func evaluationSource(
    _ tokens: TokenStream, context: Int, sequences: Int, tokenLimit: Int?
  ) throws -> any EvaluationSource {
    try EvaluationLoader(
      tokens: tokens, context: context, sequences: sequences, tokenLimit: tokenLimit,
      isolatesDocuments: isolatesDocuments, beginning: beginning, countsEnds: countsEnds)
  }
}

/// Masked language modelling: the masked tokens are the targets.
struct MaskedTokenTask: TextTask {
  let masking: TokenMasking

  let figurePrefix = "masked"

  func row(context: Int) -> TextRow {
    TextRow(context: context, sourceContext: 0, tokens: context)
  }

  func source(
    _ tokens: TokenStream, _ plan: TrainingPlan, replay: Replay?
  ) throws -> any BatchSource {
    try MaskedTokenLoader(
      tokens: tokens, masking: masking, context: plan.context, sequences: plan.rows,
      microBatches: plan.microBatches, seed: plan.seed, replay: replay)
  }

  func evaluationSource(
    _ tokens: TokenStream, context: Int, sequences: Int, tokenLimit: Int?
  ) throws -> any EvaluationSource {
    try MaskedTokenEvaluationLoader(
      tokens: tokens, masking: masking, context: context, sequences: sequences,
      tokenLimit: tokenLimit)
  }
}

/// Span corruption: the corrupted spans of an encoder input are the targets of the decoder.
struct SpanCorruptionTask: TextTask {
  let corruption: SpanCorruption

  let figurePrefix = "span"

  func row(context: Int) -> TextRow {
    let sizes = corruption.sizes(ofSource: context)
    return TextRow(context: sizes.target, sourceContext: context, tokens: sizes.tokens)
  }

  func source(
    _ tokens: TokenStream, _ plan: TrainingPlan, replay: Replay?
  ) throws -> any BatchSource {
    try SpanCorruptionLoader(
      tokens: tokens, corruption: corruption, context: plan.sourceContext, sequences: plan.rows,
      microBatches: plan.microBatches, seed: plan.seed, replay: replay)
  }

  func evaluationSource(
    _ tokens: TokenStream, context: Int, sequences: Int, tokenLimit: Int?
  ) throws -> any EvaluationSource {
    try SpanCorruptionEvaluationLoader(
      tokens: tokens, corruption: corruption, context: context, sequences: sequences,
      tokenLimit: tokenLimit)
  }
}
