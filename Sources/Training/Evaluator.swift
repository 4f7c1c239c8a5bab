import DataParallel
import Monitoring

/// Evaluates the model of a run, on all ranks.
package protocol Evaluator {
  /// True when the model is evaluated before the first step as well.
  var evaluatesBeforeTraining: Bool { get }

  /// Evaluates the current model.
  ///
  /// Collective.
  func evaluate(_ context: TrainingContext) throws -> EvaluationResult
}

/// The result of an evaluation, equal on every rank.
package struct EvaluationResult {
  /// The loss by which checkpoints are compared; lower is better.
  package var loss: Double
  /// The name of the loss in the log line; nil when a figure shows it already: the loss of a policy
  /// is its negative reward.
  package var lossName: String? = "validation loss"
  /// The number of evaluated tokens, or of examples where these are counted.
  package var tokens: Int
  package var bitsPerByte: Double?
  package var figures: [Figure] = []
  /// A note for the log.
  package var note: String?

  package init(
    loss: Double, tokens: Int, bitsPerByte: Double? = nil, figures: [Figure] = [],
    note: String? = nil
  ) {
    self.loss = loss
    self.tokens = tokens
    self.bitsPerByte = bitsPerByte
    self.figures = figures
    self.note = note
  }
}

/// An evaluator whose result depends on the weights and its data alone, so that it also evaluates a
/// model outside of a run.
package protocol HeldOutEvaluator: Evaluator {
  /// Computes the loss and the figures of the model of `replicas`.
  ///
  /// Collective.
  func measure(_ replicas: DataParallel<Replica>) throws -> (loss: Tally, figures: [Figure])

  /// Returns the figures of the loss, for the evaluation of a model outside of a run.
  func lossFigures(_ loss: Tally) -> [Figure]
}

extension HeldOutEvaluator {
  package func lossFigures(_ loss: Tally) -> [Figure] { [Figure("loss", loss.mean)] }

  package var evaluatesBeforeTraining: Bool { true }

  package func evaluate(_ context: TrainingContext) throws -> EvaluationResult {
    let (loss, figures) = try measure(context.replicas)
    return EvaluationResult(loss: loss.mean, tokens: Int(loss.count), figures: figures)
  }
}
