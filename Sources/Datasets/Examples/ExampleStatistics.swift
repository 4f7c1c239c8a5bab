import Files
import Tokenizers

/// The counts of used and unused records of a phase.
package struct ExampleStatistics: Sendable, Equatable, CustomStringConvertible {
  /// The number of examples that are used.
  package internal(set) var examples = 0
  /// The number of their tokens.
  package internal(set) var tokens = 0
  /// The number of their tokens in the loss mask.
  package internal(set) var lossTokens = 0
  /// The number of examples left out because they are longer than the context.
  package internal(set) var dropped = 0
  /// The number of examples cut to the context.
  package internal(set) var truncated = 0
  /// The records left out because they could not be used.
  package internal(set) var skipped = SkippedRecords()

  /// The fields of messages that the chat template leaves out.
  package internal(set) var leftOutFields = UnusedFields()
  /// The fields of records that are not used.
  package internal(set) var unusedFields = UnusedFields()
  private let noun: String
  private let learned: String

  /// - Parameters:
  ///   - noun: The word for an example.
  ///   - learned: The words for the place of the tokens in the loss mask.
  package init(of noun: String = "example", learned: String = "in the loss") {
    (self.noun, self.learned) = (noun, learned)
  }

  /// Returns the statistics with the records added that were left out while reading, and the fields that
  /// are not used.
  package func counting(
    _ skipped: SkippedRecords, _ unused: UnusedFields = UnusedFields()
  ) -> ExampleStatistics {
    var all = self
    all.skipped = skipped
    all.skipped.note(self.skipped)
    all.unusedFields.note(unused)
    return all
  }

  /// The number of examples and records that are not used, or not whole.
  package var leftOut: Int { dropped + truncated + skipped.count }

  /// The fraction of the tokens in the loss mask, in [0, 1].
  package var lossFraction: Double { Double(lossTokens) / Double(max(1, tokens)) }

  /// The statistics in one sentence, without a full stop; the tokens in the loss only where the
  /// examples have a loss mask.
  package var description: String {
    let percent = (lossFraction * 1000).rounded() / 10
    var parts = [
      "\(examples, noun) of \(tokens, "token")"
        + (lossTokens > 0 ? ", \(lossTokens) of them \(learned) (\(percent) %)" : "")
    ]
    if truncated > 0 { parts.append("\(truncated) cut at the length of the context") }
    if dropped > 0 { parts.append("\(dropped) longer than the context left out") }
    if let first = skipped.first.first {
      parts.append("\(skipped.count, "bad record") left out, the first because \(first)")
    }
    if let note = skipped.emptyFilesNote { parts.append(note) }
    if !leftOutFields.isEmpty {
      parts.append("the chat template leaves out \(leftOutFields), which the model does not see")
    }
    if !unusedFields.isEmpty { parts.append("not used: \(unusedFields)") }
    return parts.joined(separator: "; ")
  }
}

/// The options for making examples of records.
package struct ExampleOptions: Sendable, Equatable {
  /// The greatest number of input tokens of an example.
  package let context: Int
  /// True when longer examples are cut to the context, not left out.
  package let truncates: Bool
  /// True when bad records are left out and counted; otherwise they are an error.
  package let skipsBad: Bool

  package init(context: Int, truncates: Bool = false, skipsBad: Bool = false) {
    precondition(context >= 1, "a context of \(context) tokens")
    self.context = context
    self.truncates = truncates
    self.skipsBad = skipsBad
  }

  /// The options with truncation disabled.
  var withoutTruncation: ExampleOptions {
    ExampleOptions(context: context, truncates: false, skipsBad: skipsBad)
  }

  /// Returns the results of `body` for `records`, without nil results; counts bad records, or throws
  /// the first one unless `skipsBad`.
  ///
  /// Also counts the fields of messages that the template of `chat` leaves out.
  func map<Result>(
    _ records: [LocatedRecord], of chat: ChatEncoder? = nil,
    counting statistics: inout ExampleStatistics,
    _ body: (Record, inout ExampleStatistics) throws(RecordDefect) -> Result?
  ) throws(DatasetError) -> [Result] {
    var results: [Result] = []
    for record in records {
      do throws(RecordDefect) {
        guard let result = try body(record.record, &statistics) else { continue }
        results.append(result)
        if let chat { statistics.leftOutFields.note(chat.fieldsLeftOut(of: record.record)) }
      } catch {
        let error = DatasetError.badRecord(error, at: record.place)
        guard skipsBad else { throw error }
        statistics.skipped.note(error)
      }
    }
    statistics.examples = results.count
    return results
  }

  /// Returns how many of an example's `length` tokens are used, at most `limit`, or nil to leave the
  /// example out.
  ///
  /// Its first `prompt` tokens are not in the loss mask. Throws `RecordDefect.promptTooLong` when the
  /// limit leaves no token in the loss mask.
  func usableLength(
    _ length: Int, prompt: Int, limit: Int, counting statistics: inout ExampleStatistics
  ) throws(RecordDefect) -> Int? {
    guard prompt < limit else { throw .promptTooLong(tokens: prompt, context: context) }
    guard length > limit else { return length }
    if truncates { statistics.truncated += 1 } else { statistics.dropped += 1 }
    return truncates ? limit : nil
  }

  /// Throws when no example could be made.
  func requireExamples(_ statistics: ExampleStatistics) throws(DatasetError) {
    if statistics.examples > 0 { return }
    if statistics.dropped > 0 {
      throw .allTooLong(examples: statistics.dropped, context: context)
    }
    throw .noRecords(skipped: statistics.skipped)
  }
}
