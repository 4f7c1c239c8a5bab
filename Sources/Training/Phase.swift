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

  package init(
    folder: RunFolder, world: Communicator, threads: Int,
    note: @escaping (String) throws -> Void = { _ in }
  ) {
    self.folder = folder
    self.world = world
    self.threads = threads
    self.note = note
  }
}

/// The objective, evaluator and frozen models of a phase.
package struct PreparedPhase {
  package typealias Conclusion =
    (_ context: TrainingContext, _ checkpoint: String?) throws -> [EventReport]

  /// The objective that every micro-batch minimises.
  package let objective: any Objective
  /// The evaluator of the model; nil without validation data.
  package let evaluator: (any Evaluator)?
  /// The identity of the data by name; a resumed run compares it with the checkpoint's.
  package var settings: [String: String]
  /// Models that are not trained.
  package var frozenModels: FrozenModels
  /// Optimizer steps per rollout iteration.
  ///
  /// Checkpoints and evaluations happen only at its end.
  package var stepsPerIteration: Int
  /// Concludes the run after the last checkpoint is published, and returns events for the log.
  ///
  /// Collective; rank 0 gets the path of the checkpoint.
  package var conclude: Conclusion

  package init(
    objective: any Objective, evaluator: (any Evaluator)?, settings: [String: String] = [:],
    frozenModels: FrozenModels = FrozenModels(), stepsPerIteration: Int = 1,
    conclude: @escaping Conclusion = { _, _ in [] }
  ) {
    self.objective = objective
    self.evaluator = evaluator
    self.settings = settings
    self.frozenModels = frozenModels
    self.stepsPerIteration = stepsPerIteration
    self.conclude = conclude
  }
}
