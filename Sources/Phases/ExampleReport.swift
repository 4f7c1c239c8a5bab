import Datasets
import Files
import Training

/// The numbers of examples that were made of a phase's records, for the log.
struct ExampleReport: Sendable {
  private let train: ExampleStatistics
  private let heldOut: ExampleStatistics?
  private let ignored: [String]

  /// - Parameter statistics: Those of the training examples, and of the held-out ones if any.
  init(_ records: RecordSet, _ statistics: (train: ExampleStatistics, heldOut: ExampleStatistics?))
  {
    train = statistics.train.counting(records.skipped)
    heldOut = statistics.heldOut
    ignored = records.ignored
  }

  /// Logs the statistics and what was skipped.
  func log(to run: RunContext) throws {
    try run.note("\(train)")
    if let heldOut, heldOut.leftOut > 0 { try run.note("held out: \(heldOut)") }
    if let first = ignored.first {
      try run.note(
        "\(ignored.count, "file is ignored because it is", "files are ignored because they are") "
          + "not .jsonl, .json or .csv: \(first)"
          + (ignored.count > 1 ? " …" : ""))
    }
  }
}
