import Datasets

/// What became of a phase's records, for people.
struct ExampleReport: Sendable {
  private let train: ExampleStatistics
  private let heldOut: ExampleStatistics?
  private let ignored: [String]

  /// `records` made into examples to train on and to measure by.
  init(_ records: RecordSet, train: ExampleStatistics, heldOut: ExampleStatistics?) {
    self.train = train.counting(records.skipped)
    self.heldOut = heldOut
    ignored = records.ignored
  }

  /// Tells it, also what is left out.
  func tell(_ site: PhaseSite) throws {
    try site.note("\(train)")
    if let heldOut, heldOut.leftOut > 0 { try site.note("held out: \(heldOut)") }
    if let first = ignored.first {
      try site.note(
        "\(ignored.count) files are left out, which are no .jsonl, .json or .csv: \(first)"
          + (ignored.count > 1 ? " …" : ""))
    }
  }
}
