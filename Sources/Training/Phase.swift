import DataParallel
import MPI
import Monitoring

/// A phase of training: pretraining, fine-tuning, reward modelling or alignment.
///
/// Phases differ in their data, objective and evaluator; `Trainer` and `TrainingRun` are common.
package protocol Phase: Sendable {
  /// The plan of the run.
  var plan: TrainingPlan { get }

  /// Loads or builds the data of the run, and makes its objective and evaluator.
  ///
  /// Collective; when it throws, it throws on every rank, and existing files are unchanged.
  func prepare(_ run: RunContext) throws -> PreparedPhase
}

/// The run that a phase is prepared for.
package struct RunContext {
  /// The folder of the run.
  package let folder: RunFolder
  /// All ranks.
  package let world: Communicator
  /// The number of threads of this rank.
  package let threads: Int
  /// Logs a note; without effect on ranks other than 0.
  package let note: (String) throws -> Void
}

/// The objective, evaluator and frozen models of a phase.
package struct PreparedPhase {
  /// The objective that every micro-batch minimises.
  let objective: any Objective
  /// The evaluator of the model; nil without validation data.
  let evaluator: (any Evaluator)?
  /// The identity of the data by name; a resumed run compares it with the checkpoint's.
  let settings: [String: String]
  /// Models that are not trained.
  var frozenModels = FrozenModels()
  /// Optimizer steps per rollout iteration.
  ///
  /// Checkpoints and evaluations happen only at its end.
  var stepsPerIteration = 1
  /// Concludes the run after the last checkpoint is published, and returns events for the log.
  ///
  /// Collective; rank 0 gets the path of the checkpoint.
  var conclude: (_ trainer: Trainer, _ checkpoint: String?) throws -> [EventReport] = { _, _ in [] }
}

/// Evaluates the model of a run, on all ranks.
package protocol Evaluator {
  /// True when the model is evaluated before the first step as well.
  var evaluatesBeforeTraining: Bool { get }

  /// Evaluates the current model.
  ///
  /// Collective.
  ///
  /// - Returns: The report, equal on every rank except for the time, and on rank 0 a note for the
  ///   log.
  func evaluate(_ trainer: Trainer) throws -> (report: EvaluationReport, note: String?)
}
