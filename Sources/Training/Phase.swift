import DataParallel
import MPI
import Monitoring

/// One way to train: what pretraining, fine-tuning, reward modelling and alignment differ in.
///
/// All of them take the same steps; see `Trainer` and `TrainingRun`.
public protocol Phase: Sendable {
  /// What is settled of the run.
  var plan: TrainingPlan { get }

  /// Makes ready what the run trains on and is measured by.
  ///
  /// Collective; when it throws, it throws on every rank, and what was there before is untouched.
  func prepare(_ site: PhaseSite) throws -> PhaseWork
}

/// Where a phase is at work.
public struct PhaseSite {
  /// The run's files.
  public let folder: RunFolder
  /// All ranks.
  public let world: Communicator
  /// Threads of this rank.
  public let threads: Int
  /// Hears on rank 0 what is being done.
  public let note: (String) throws -> Void
}

/// What a run trains on and is measured by.
public struct PhaseWork {
  /// What every micro-batch minimises.
  let objective: any Objective
  /// Who measures the model; nil without validation data.
  let evaluator: (any Evaluator)?
  /// Tells the data from any other, by name; a resumed run compares it.
  let terms: [String: String]
  /// Networks that are only read.
  var companions = Companions()
  /// Steps between moments at which a checkpoint says all: more than one where several steps learn
  /// from what was sampled before the first of them.
  var period = 1
  /// What is left to do when the last checkpoint is safe, of which rank 0 is given the path.
  ///
  /// Collective; gives what people are to be told.
  var conclude: (_ trainer: Trainer, _ checkpoint: String?) throws -> [EventReport] = { _, _ in [] }
}

/// Measures the model of a run, on all ranks.
public protocol Evaluator {
  /// Whether the model is measured before the first step as well.
  var measuresStart: Bool { get }

  /// Measures the model as it is.
  ///
  /// Collective.
  ///
  /// - Returns: The report, equal on every rank but for the time, and on rank 0 a sentence for people.
  func evaluate(_ trainer: Trainer) throws -> (report: EvaluationReport, note: String?)
}
