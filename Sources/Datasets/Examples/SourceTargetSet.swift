import Tokenizers

/// Prompts and their answers as sources and targets, to fine-tune an encoder–decoder on.
public struct SourceTargetSet: RowSet {
  /// A source and its target, both with what ends them.
  struct Example: Sendable, Equatable {
    let source: [TokenID]
    let target: [TokenID]
  }

  let examples: [Example]
  /// What became of the records.
  public let statistics: ExampleStatistics
  /// What targets begin after.
  let start: TokenID
  /// The id that fills sources and targets up.
  let padding: TokenID

  /// The conversations `records`, of one question and one answer each, as `tokenizer` writes them.
  ///
  /// Source and target may each have as many tokens as the context; examples with a longer one are left
  /// out and counted, or cut where `options` say so: a source keeps its end, a target that is cut has
  /// none. Throws `DatasetError.badRecord` for a record that is no question with its answer.
  ///
  /// - Parameters:
  ///   - start: The id that targets begin after.
  ///   - padding: The id that fills up.
  public init(
    _ records: [LocatedRecord], tokenizer: any Tokenizer, start: TokenID, padding: TokenID,
    options: ExampleOptions
  ) throws(DatasetError) {
    let end = tokenizer.endOfText
    var statistics = ExampleStatistics()
    examples = try options.map(records, counting: &statistics) {
      record, statistics throws(RecordDefect) -> Example? in
      guard case .conversation(let conversation) = record,
        conversation.messages.map(\.role) == [.user, .assistant]
      else {
        throw .otherKind(found: record.kind, wanted: "a prompt with its completion")
      }
      var source = SourceTargetSet.source(conversation.messages[0].content, tokenizer)
      var target = tokenizer.encode(conversation.messages[1].content) + [end]
      let room = options.context
      if source.count > room || target.count > room {
        guard options.truncates else {
          statistics.dropped += 1
          return nil
        }
        statistics.truncated += 1
        if source.count > room { source = source.prefix(room - 1) + [end] }
        target = Array(target.prefix(room))
      }
      return Example(source: source, target: target)
    }
    try options.requireExamples(statistics)
    statistics.trainedTokens = examples.reduce(0) { $0 + $1.target.count }
    statistics.tokens = examples.reduce(statistics.trainedTokens) { $0 + $1.source.count }
    self.statistics = statistics
    self.start = start
    self.padding = padding
  }

  /// The ids of `text` as a source: with what the tokenizer puts around it, and the end.
  public static func source(_ text: String, _ tokenizer: any Tokenizer) -> [TokenID] {
    let ids = tokenizer.encodeWhole(text)
    return ids.last == tokenizer.endOfText ? ids : ids + [tokenizer.endOfText]
  }

  /// How many examples there are.
  public var count: Int { examples.count }

  /// Forgets what was in `batch`.
  public func begin(_ batch: inout Batch) { batch.forgetExamples() }

  /// Fills `row` of `batch`, whose sources are as long as its targets, with example `index`, or with the
  /// last one, weighing nothing, when it is nil.
  public func fill(_ batch: inout Batch, row: Int, with index: Int?) {
    let example = examples[index ?? count - 1]
    batch.fill(
      row: row, source: example.source, target: example.target, sources: batch.context,
      start: start, padding: padding)
    if index != nil { return }
    for place in row * batch.context..<(row + 1) * batch.context { batch.weights[place] = 0 }
  }
}

/// Batches of sources and targets to fine-tune on.
public typealias SourceTargetLoader = RowLoader<SourceTargetSet>
/// Evaluation batches of sources and targets.
public typealias SourceTargetEvaluationLoader = RowEvaluationLoader<SourceTargetSet>
