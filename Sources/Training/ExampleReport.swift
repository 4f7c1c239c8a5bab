import Datasets

/// The numbers of examples that were made of a phase's records, for the log.
struct ExampleReport: Sendable {
  private let train: ExampleStatistics
  private let heldOut: ExampleStatistics?
  private let ignored: [String]

  /// - Parameters:
  ///   - train: The statistics of the training examples.
  ///   - heldOut: The statistics of the validation examples; nil without any.
  init(_ records: RecordSet, train: ExampleStatistics, heldOut: ExampleStatistics?) {
    self.train = train.counting(records.skipped)
    self.heldOut = heldOut
    ignored = records.ignored
  }

  /// Logs the statistics and what was skipped.
  func log(to run: RunContext) throws {
    try run.note("\(train)")
    if let heldOut, heldOut.leftOut > 0 { try run.note("held out: \(heldOut)") }
    if let first = ignored.first {
      try run.note(
        "\(ignored.count) files are ignored because they are not .jsonl, .json or .csv: \(first)"
          + (ignored.count > 1 ? " …" : ""))
    }
  }
}
