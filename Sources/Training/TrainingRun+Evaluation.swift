import DataParallel
import Faults
import Monitoring

extension TrainingRun {
  /// Evaluates the model, reports the result, and records the best evaluation.
  ///
  /// Collective.
  ///
  /// - Returns: True when this is the best evaluation so far.
  /// - Throws: `DivergenceGuard.Diverged`, on every rank, when the loss is not finite.
  @discardableResult
  func evaluate() throws -> Bool {
    guard let evaluator else { return false }
    var clock = Stopwatch()
    activity.begin(.evaluation, step: trainer.state.step)
    FaultSchedule.reach(.evaluation, step: trainer.state.step)
    // An evaluation that a request to stop interrupts is made when the run resumes.
    trainer.owesEvaluation = true
    let result = try evaluator.evaluate(trainer.context)
    trainer.owesEvaluation = false
    let step = trainer.state.step
    guard result.loss.isFinite else {
      throw DivergenceGuard.Diverged(step: step, "validation loss", is: result.loss)
    }
    var report = EvaluationReport(
      step: step, validationLoss: result.loss, bitsPerByte: result.bitsPerByte,
      tokens: result.tokens, seconds: clock.lap(), figures: result.figures,
      isBest: trainer.isBest(result.loss))
    report.lossName = result.lossName
    try observers.evaluation(report)
    if let note = result.note { try observers.event(.note, step: step, note) }
    return report.isBest
  }
}
