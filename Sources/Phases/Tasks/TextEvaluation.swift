import DataParallel
import Datasets
import Glibc
import Monitoring
import Tensors
import Training

/// The evaluation of a language model on held-out text.
struct TextEvaluation: Sendable {
  private let loader: any EvaluationSource

  /// - Parameters:
  ///   - context: The positions of the model.
  ///   - tokenLimit: About how many tokens to evaluate, evenly spaced; nil for all.
  init(
    _ task: any TextTask, _ tokens: TokenStream, context: Int, sequences: Int, tokenLimit: Int?
  ) throws {
    loader = try task.evaluationSource(
      tokens, context: context, sequences: sequences, tokenLimit: tokenLimit)
  }

  /// Returns the sum of the losses and the number of targets.
  ///
  /// Collective.
  func measure(_ replicas: DataParallel<Replica>) throws -> Tally {
    try replicas.totals(count: loader.batchCount) {
      [loader] replica, _, index in
      try loader.fill(&replica.batch, index: index)
      let batch = replica.batch
      let losses = replica.model.tokenLosses(batch, batch.pass())
      return [Tally(sum: losses.total, count: batch.weight)]
    }[0]
  }

  /// Returns the bytes of text that the targets encode; nil when only some tokens are targets.
  func bytes(of tokens: TokenStream, lengths: [Int32]) throws -> Double? {
    guard let loader = loader as? EvaluationLoader else { return nil }
    var bytes = 0
    for batch in 0..<loader.batchCount {
      for id in try tokens.ids(in: loader.targetRange(ofBatch: batch)) {
        bytes += Int(lengths[Int(id)])
      }
    }
    return Double(bytes)
  }
}

/// Bits per byte of a summed loss in nats.
func bitsPerByte(_ loss: Double, bytes: Double) -> Double { loss / bytes / M_LN2 }
