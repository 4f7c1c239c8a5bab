import DataParallel
import Datasets
import Evaluation
import Glibc
import Tokenizers

/// The validation set of a pretraining run.
struct ValidationSet {
  private let loader: any EvaluationSource
  /// Bytes of text that the evaluated targets encode; nil when only some tokens are targets.
  private let bytes: Double?

  /// The part of `tokens` that the evaluations of `phase` read.
  init(of phase: Pretraining, tokens: TokenStream) throws {
    let plan = phase.plan
    if let masking = phase.masking {
      loader = try MaskedTokenEvaluationLoader(
        tokens: tokens, masking: masking, context: plan.context, sequences: plan.rows,
        tokenLimit: phase.options.evaluateTokens)
      bytes = nil
      return
    }
    if let corruption = phase.corruption {
      loader = try SpanCorruptionEvaluationLoader(
        tokens: tokens, corruption: corruption, context: plan.sourceContext,
        sequences: plan.rows, tokenLimit: phase.options.evaluateTokens)
      bytes = nil
      return
    }
    let loader = try EvaluationLoader(
      tokens: tokens, context: plan.context, sequences: plan.rows,
      tokenLimit: phase.options.evaluateTokens,
      isolatesDocuments: phase.options.data.documentMask)
    let lengths = try plan.tokenizer.bytesPerToken()
    var bytes = 0
    for batch in 0..<loader.batchCount {
      for id in try tokens.ids(in: loader.targetRange(ofBatch: batch)) {
        bytes += Int(lengths[Int(id)])
      }
    }
    self.loader = loader
    self.bytes = Double(bytes)
  }

  /// Returns the sum of the losses and the number of targets.
  ///
  /// Collective.
  func measure(_ replicas: DataParallel<Replica>) throws -> Tally {
    try replicas.totals(count: loader.batchCount) { [loader] replica, _, index in
      try loader.fill(&replica.batch, index: index)
      let (sum, count) = TokenLoss.sum(replica.model, replica.batch)
      return [Tally(sum: sum, count: count)]
    }[0]
  }

  /// Returns `total` in bits per byte of the text; nil when only some tokens are targets.
  func bitsPerByte(_ total: Tally) -> Double? { bytes.map { total.sum / $0 / M_LN2 } }
}
