import Datasets
import Tokenizers

/// Pairs from files of records; see `RecordReader`.
///
/// A record's chosen answer is stored first. Its source is "chosen" and the other's "rejected", so that
/// the report shows how often the annotators agree with the file.
package struct PairFile: Sendable {
  /// The pairs, in the order of the files.
  package private(set) var pairs: [AnnotationPair] = []
  /// The records that were left out because they could not be used.
  package let skipped: SkippedRecords
  /// The fields of the records that are not used.
  package let unused: UnusedFields

  /// Reads the files, folders and globs `sources`, which hold preference pairs.
  ///
  /// - Parameters:
  ///   - names: The names of the records' fields in the files.
  ///   - skipsBad: True to leave bad records out and count them; otherwise they are an error.
  /// - Throws: `DatasetError`.
  package init(
    _ sources: [String], names: FieldNames = FieldNames(), skipsBad: Bool = false
  ) throws(DatasetError) {
    var reader = RecordReader(
      try SourceList(sources, of: .records).files, names: names, skipsBad: skipsBad)
    while let located = try reader.next() {
      guard case .pair(let preference) = located.record else {
        throw .badRecord(
          .otherKind(found: located.record.kind, wanted: "a preference pair"), at: located.place)
      }
      let messages = preference.prompt.messages + preference.chosen + preference.rejected
      if Conversation(messages, tools: preference.prompt.tools).hasToolsOrFields {
        throw .badRecord(
          .otherKind(found: "a pair with tools or further fields", wanted: "a pair of texts"),
          at: located.place)
      }
      pairs.append(
        AnnotationPair(
          prompt: preference.prompt.messages, first: .init(preference.chosen, source: "chosen"),
          second: .init(preference.rejected, source: "rejected")))
    }
    (skipped, unused) = (reader.skipped, reader.unused)
    guard !pairs.isEmpty else { throw .noRecords(skipped: skipped) }
  }
}
