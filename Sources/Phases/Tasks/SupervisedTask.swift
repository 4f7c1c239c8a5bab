import Datasets
import Models
import Training

/// A supervised task: its examples, the network that learns them, its objective and its evaluator.
///
/// A new task is a conformer in this folder and a line where a phase chooses its task.
protocol SupervisedTask: Sendable {
  /// The trained network.
  var network: TrainedNetwork { get }
  /// The statistics of the training examples, and of the held-out ones if there are any.
  var statistics: (train: ExampleStatistics, heldOut: ExampleStatistics?) { get }

  /// Returns the loss of the training examples in the batches of `plan`.
  func objective(_ plan: TrainingPlan) throws -> any Objective

  /// Returns the evaluator of the held-out examples; nil without any.
  func evaluator(_ plan: TrainingPlan) throws -> (any HeldOutEvaluator)?
}

/// The examples of a task: to train on, and to evaluate on if any are held out.
struct SplitExamples<Examples: Sendable>: Sendable {
  let train: Examples
  let validation: Examples?

  /// - Parameter make: Returns the examples of records; `train` is nil for the training records, and
  ///   the training examples for the held-out ones.
  init(
    _ records: RecordSet,
    _ make: (_ records: [LocatedRecord], _ train: Examples?) throws -> Examples
  ) throws {
    let train = try make(records.train, nil)
    self.train = train
    validation = records.validation.isEmpty ? nil : try make(records.validation, train)
  }
}
