import DataParallel
import Datasets
import Evaluation
import Layers
import Monitoring

/// Evaluates the model on the answers of held-out conversations.
struct AnswerEvaluator: Evaluator {
  private let loader: any EvaluationSource

  init(_ loader: any EvaluationSource) {
    self.loader = loader
  }

  let evaluatesBeforeTraining = true

  func evaluate(_ trainer: Trainer) throws -> (report: EvaluationReport, note: String?) {
    var clock = Stopwatch()
    let (loss, figures) = try measure(trainer.replicas)
    return (trainer.report(loss, seconds: clock.lap(), figures: figures), nil)
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
      let pass = ForwardPass(
        sequences: batch.sequences, starts: batch.starts, encoderInput: batch.encoderInput)
      let hidden = replica.model.hidden(batch.inputs, pass)
      let losses = TokenLoss.losses(replica.model, hidden: hidden, batch, pass)
      let accuracy = TokenAccuracy(replica.model, hidden: hidden, batch, pass)
      return [
        Tally(sum: losses.total, count: batch.weight),
        Tally(sum: Double(accuracy.correct), count: Double(accuracy.tokens)),
        Tally(sum: Double(accuracy.exact), count: Double(accuracy.answers)),
      ]
    }
    return (
      totals[0],
      [Figure("tokenAccuracy", totals[1].mean), Figure("exactMatch", totals[2].mean)]
    )
  }
}

extension Trainer {
  /// Returns the report of an evaluation with this loss.
  func report(_ loss: Tally, seconds: Double, figures: [Figure] = []) -> EvaluationReport {
    EvaluationReport(
      step: state.step, validationLoss: loss.mean, tokens: Int(loss.count), seconds: seconds,
      figures: figures, isBest: isBest(loss.mean))
  }

  /// Returns true for a lower loss than in all evaluations before; false during a loss spike, when
  /// nothing is saved.
  func isBest(_ loss: Double) -> Bool {
    !hasLossSpike && (state.best.map { loss < $0.loss } ?? true)
  }
}
