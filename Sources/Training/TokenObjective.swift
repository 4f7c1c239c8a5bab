import Datasets
import Glibc
import Objectives
import Tensors

/// The cross-entropy of the targets of a batch: next tokens, masked tokens, corrupted spans, tags,
/// or tokens of answers, by the source of the batches.
package struct TokenObjective: BatchObjective {
  package let source: any BatchSource

  package init(_ source: any BatchSource) {
    self.source = source
  }

  /// Returns the loss of a uniform guess among the tokens.
  package func guessLoss(vocabulary: Int) -> Double? { log(Double(vocabulary)) }

  /// Returns the cross-entropy of the batch's targets, weighted by the loss mask.
  package func loss(of batch: Batch, on replica: Replica, _ microBatch: MicroBatch) -> Loss {
    Loss(replica.model.tokenLosses(batch, batch.pass(microBatch)), count: batch.weight)
  }
}
