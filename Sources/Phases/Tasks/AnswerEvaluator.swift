import DataParallel
import Datasets
import Evaluation
import Glibc
import Monitoring
import Training

/// Evaluates the model on the answers of held-out conversations.
struct AnswerEvaluator: HeldOutEvaluator {
  private let loader: any EvaluationSource

  init(_ loader: any EvaluationSource) {
    self.loader = loader
  }

  /// Computes the loss of the answers' tokens, the fraction of tokens that are the most likely ones
  /// (`tokenAccuracy`), and the fraction of answers with only such tokens (`exactMatch`).
  ///
  /// Collective.
  func measure(_ replicas: DataParallel<Replica>) throws -> (loss: Tally, figures: [Figure]) {
    let totals = try replicas.totals(count: loader.batchCount, tallies: 3) {
      [loader] replica, _, index in
      try loader.fill(&replica.batch, index: index)
      let batch = replica.batch
      let pass = batch.pass()
      let hidden = replica.model.hidden(batch.inputs, pass)
      let losses = replica.model.tokenLosses(hidden: hidden, batch, pass)
      let accuracy = TokenAccuracy(replica.model, hidden: hidden, batch, pass)
      return [
        Tally(sum: losses.total, count: batch.weight),
        Tally(sum: Double(accuracy.correct), count: Double(accuracy.tokens)),
        Tally(sum: Double(accuracy.exact), count: Double(accuracy.answers)),
      ]
    }
    return (
      totals[0],
      [Figure("tokenAccuracy", totals[1].mean)]
        + Figure.fraction("exactMatch", totals[2].sum, of: Int(totals[2].count))
    )
  }

  func lossFigures(_ loss: Tally) -> [Figure] {
    [Figure("answerLoss", loss.mean), Figure("answerPerplexity", exp(loss.mean))]
  }
}
