import Tokenizers

/// Prompts and answers encoded as encoder inputs (sources) and decoder targets, for fine-tuning an
/// encoder–decoder.
package struct SourceTargetSet: BatchableSet {
  /// A source and its target, both with their end-of-text.
  struct Example: Sendable, Equatable {
    let source: [TokenID]
    let target: [TokenID]
  }

  let examples: [Example]
  /// The counts of used and unused records.
  package let statistics: ExampleStatistics
  /// The first decoder input, which precedes the target.
  let start: TokenID
  /// The id that pads sources and targets.
  let padding: TokenID

  /// Encodes the conversations `records`, of one prompt and one answer each, with `tokenizer`.
  ///
  /// Source and target may each have as many tokens as the context; examples with a longer one are left
  /// out and counted, or truncated if `options.truncates`: a truncated source keeps its end-of-text, a
  /// truncated target has none. Throws `DatasetError.badRecord` for a record that is not a prompt with
  /// its answer.
  ///
  /// - Parameters:
  ///   - start: The first decoder input, which precedes the target.
  ///   - padding: The id that pads sources and targets.
  package init(
    _ records: [LocatedRecord], tokenizer: any Tokenizer, start: TokenID, padding: TokenID,
    options: ExampleOptions
  ) throws(DatasetError) {
    let end = tokenizer.endOfText
    var statistics = ExampleStatistics()
    examples = try options.map(records, counting: &statistics) {
      record, statistics throws(RecordDefect) -> Example? in
      guard case .conversation(let conversation) = record,
        conversation.messages.map(\.role) == [.user, .assistant], !conversation.hasToolsOrFields
      else {
        throw .otherKind(found: record.kind, wanted: "a prompt with its completion")
      }
      try conversation.requireLoss()
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
    statistics.lossTokens = examples.reduce(0) { $0 + $1.target.count }
    statistics.tokens = examples.reduce(statistics.lossTokens) { $0 + $1.source.count }
    self.statistics = statistics
    self.start = start
    self.padding = padding
  }

  /// Returns the ids of `text` as a source: with the tokenizer's special tokens and an end-of-text.
  package static func source(_ text: String, _ tokenizer: any Tokenizer) -> [TokenID] {
    let ids = tokenizer.encodeWithSpecialTokens(text)
    return ids.last == tokenizer.endOfText ? ids : ids + [tokenizer.endOfText]
  }

  package var count: Int { examples.count }

  /// Fills `batch` with the examples `indices`, a sequence each; all sources are padded to one length,
  /// and all targets to another.
  package func fill(_ batch: inout Batch, with indices: [Int]) {
    let examples = indices.map { self.examples[$0] }
    let length = { (counts: [Int]) in Batch.roundedLength(counts.max() ?? 1) }
    batch.begin(sequences: examples.count, context: length(examples.map(\.target.count)))
    let sourceContext = length(examples.map(\.source.count))
    for (row, example) in examples.enumerated() {
      batch.fill(
        row: row, source: example.source, target: example.target, sourceContext: sourceContext,
        start: start, padding: padding)
    }
  }
}
