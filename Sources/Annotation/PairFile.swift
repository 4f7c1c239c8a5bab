import Datasets

/// Pairs from files of records; see `RecordReader`.
///
/// A record's chosen answer is kept first. Its source is "chosen", and that of the other "rejected":
/// the report then tells how often the annotators agree with the file.
public struct PairFile: Sendable {
  /// In the order of the files.
  public private(set) var pairs: [AnnotationPair] = []
  /// Records that could not be used and were left out.
  public let skipped: SkippedRecords

  /// Reads the files, folders and globs `sources`, which hold preference pairs.
  ///
  /// - Parameter skipsBad: Whether bad records are counted and left out, not an error.
  /// - Throws: `DatasetError`.
  public init(_ sources: [String], skipsBad: Bool = false) throws(DatasetError) {
    var reader = RecordReader(
      try SourceList(sources, of: .records).files, skipsBad: skipsBad)
    while let located = try reader.next() {
      guard case .pair(let preference) = located.record else {
        throw .badRecord(
          .otherKind(found: located.record.kind, wanted: "a preference pair"), at: located.place)
      }
      pairs.append(
        AnnotationPair(
          prompt: preference.prompt, first: .init(preference.chosen, source: "chosen"),
          second: .init(preference.rejected, source: "rejected")))
    }
    skipped = reader.skipped
    guard !pairs.isEmpty else { throw .noRecords(skipped: skipped) }
  }
}
