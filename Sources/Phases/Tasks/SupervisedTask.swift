import Datasets
import Files
import Models
import Tokenizers
import Training

/// A supervised task: its examples, the network that learns them, its objective and its evaluator.
///
/// A new task is a conformer in this folder and a line where a phase chooses its task.
protocol SupervisedTask: Sendable {
  associatedtype Examples: CountedExamples
  associatedtype HeldOut: HeldOutEvaluator

  /// The trained network.
  var network: any NetworkConfiguration { get }
  var examples: SplitExamples<Examples> { get }

  /// Returns the loss of the training examples in the batches of `plan`.
  func objective(_ plan: TrainingPlan) throws -> any Objective

  /// Returns the evaluator of held-out examples.
  func evaluator(of examples: Examples, _ plan: TrainingPlan) throws -> HeldOut
}

extension SupervisedTask {
  /// Sentences on the examples, for the log.
  var notes: [String] { examples.notes }

  /// Returns the evaluator of the held-out examples; nil without any.
  func evaluator(_ plan: TrainingPlan) throws -> HeldOut? {
    try examples.validation.map { try evaluator(of: $0, plan) }
  }

  /// Returns the mean sizes of the rows of the training batches of `plan`.
  func rowSizes(_ plan: TrainingPlan) throws -> RowSizes? {
    try (objective(plan) as? any BatchObjective).map { try RowSizes($0.source, plan) }
  }
}

/// Examples with the counts of the records that they were made of.
protocol CountedExamples: Sendable {
  /// The counts of used and unused records.
  var statistics: ExampleStatistics { get }
}

extension ExampleSet: CountedExamples {}
extension UnpairedPreferenceSet: CountedExamples {}
extension LabelSet: CountedExamples {}
extension PairSet: CountedExamples {}
extension PromptSet: CountedExamples {}
extension SourceTargetSet: CountedExamples {}
extension TagSet: CountedExamples {}

/// The examples of a task: to train on, and to evaluate on if any are held out.
struct SplitExamples<Examples: CountedExamples>: Sendable {
  let train: Examples
  let validation: Examples?
  /// The numbers of examples, and what was left out, as sentences for the log.
  let notes: [String]

  /// - Parameters:
  ///   - chat: The encoder of the conversations, whose notes are among the notes.
  ///   - make: Returns the examples of records; `train` is nil for the training records, and the
  ///     training examples for the held-out ones.
  init(
    _ records: RecordSet, chat: ChatEncoder? = nil,
    _ make: (_ records: [LocatedRecord], _ train: Examples?) throws -> Examples
  ) throws {
    try chat?.requireEncodable()
    do {
      train = try make(records.train, nil)
    } catch DatasetError.oneClass(let name) {
      throw records.oneClass(name)
    }
    validation = records.validation.isEmpty ? nil : try make(records.validation, train)
    let (used, heldOut) = (records.train.count, records.validation.count)
    let held = heldOut > 0 ? "; \(heldOut) held out for validation" : ""
    var notes = [
      "\(used) of \(used + heldOut + records.skipped.count, "record")\(held)",
      "\(train.statistics.counting(records.skipped, records.unused))",
    ]
    if let heldOut = validation?.statistics, heldOut.leftOut > 0 {
      notes.append("held out: \(heldOut)")
    }
    if let first = records.ignored.first {
      let count = records.ignored.count
      notes.append(
        "\(count, "file is ignored because it is", "files are ignored because they are") "
          + "not .jsonl, .json or .csv: \(first)"
          + (count > 1 ? " …" : ""))
    }
    self.notes = notes + (chat?.notes ?? [])
  }
}

extension SplitExamples where Examples: BatchableSet {
  /// Returns the training examples in the batches of `plan`.
  func loader(_ plan: TrainingPlan) -> SetLoader<Examples> {
    SetLoader(
      train, sequences: plan.rows, microBatches: plan.microBatches, seed: plan.seed)
  }
}
