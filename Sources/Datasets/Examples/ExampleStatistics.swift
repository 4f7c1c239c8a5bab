/// What became of the records of a phase.
public struct ExampleStatistics: Sendable, Equatable, CustomStringConvertible {
  /// Examples that are used.
  public internal(set) var examples = 0
  /// Their tokens.
  public internal(set) var tokens = 0
  /// Those of their tokens that are learned.
  public internal(set) var trainedTokens = 0
  /// Examples left out because they are longer than the context.
  public internal(set) var dropped = 0
  /// Examples cut at the length of the context.
  public internal(set) var truncated = 0
  /// Records left out because they could not be used.
  public internal(set) var skipped = SkippedRecords()

  /// Nothing yet.
  public init() {}

  /// The same with records that had been left out before examples were made.
  public func counting(_ skipped: SkippedRecords) -> ExampleStatistics {
    var all = self
    all.skipped = skipped
    all.skipped.note(self.skipped)
    return all
  }

  /// Examples and records that are not used, or not whole.
  public var leftOut: Int { dropped + truncated + skipped.count }

  /// The share of the tokens that is learned, from 0 to 1.
  public var trainedShare: Double { Double(trainedTokens) / Double(max(1, tokens)) }

  /// The same in one sentence, without its full stop.
  public var description: String {
    let share = (trainedShare * 1000).rounded() / 10
    var parts = [
      "\(examples) examples of \(tokens) tokens, \(trainedTokens) of them learned (\(share) %)"
    ]
    if truncated > 0 { parts.append("\(truncated) cut at the length of the context") }
    if dropped > 0 { parts.append("\(dropped) longer than the context left out") }
    if let first = skipped.first.first {
      parts.append("\(skipped.count) bad ones left out, the first because \(first)")
    }
    return parts.joined(separator: "; ")
  }
}

/// How examples are made of records.
public struct ExampleOptions: Sendable, Equatable {
  /// The longest that an example may be, in tokens that the model is given.
  public let context: Int
  /// Whether longer ones are cut at the context, and not left out.
  public let truncates: Bool
  /// Whether bad records are left out, and no error.
  public let skipsBad: Bool

  /// Examples for a model of `context` tokens.
  public init(context: Int, truncates: Bool = false, skipsBad: Bool = false) {
    precondition(context >= 1, "a context of \(context) tokens")
    self.context = context
    self.truncates = truncates
    self.skipsBad = skipsBad
  }

  /// The same, but nothing is cut.
  var withoutCuts: ExampleOptions {
    ExampleOptions(context: context, truncates: false, skipsBad: skipsBad)
  }

  /// What is made of each of `records`, without those for which `body` gives nil.
  func map<Result>(
    _ records: [LocatedRecord], counting statistics: inout ExampleStatistics,
    _ body: (Record, inout ExampleStatistics) throws(RecordDefect) -> Result?
  ) throws(DatasetError) -> [Result] {
    var results: [Result] = []
    for record in records {
      do throws(RecordDefect) {
        guard let result = try body(record.record, &statistics) else { continue }
        results.append(result)
      } catch {
        let error = DatasetError.badRecord(error, at: record.place)
        guard skipsBad else { throw error }
        statistics.skipped.note(error)
      }
    }
    statistics.examples = results.count
    return results
  }

  /// How many of an example's `length` tokens are used, `room` at most, or nil to leave it out; its
  /// first `prompt` tokens are not learned.
  ///
  /// Throws `RecordDefect.promptTooLong` when nothing that is learned has room.
  func used(
    _ length: Int, prompt: Int, room: Int, counting statistics: inout ExampleStatistics
  ) throws(RecordDefect) -> Int? {
    guard prompt < room else { throw .promptTooLong(tokens: prompt, context: context) }
    guard length > room else { return length }
    if truncates { statistics.truncated += 1 } else { statistics.dropped += 1 }
    return truncates ? room : nil
  }

  /// Throws when records were to be used and none was.
  func requireExamples(_ statistics: ExampleStatistics) throws(DatasetError) {
    if statistics.examples > 0 { return }
    if statistics.dropped > 0 {
      throw .allTooLong(examples: statistics.dropped, context: context)
    }
    throw .noRecords(skipped: statistics.skipped)
  }
}
