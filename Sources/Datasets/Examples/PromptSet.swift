import Tokenizers

/// The prompts of reinforcement learning, with their reference answers if known.
package struct PromptSet: Sendable {
  /// An encoded prompt.
  package struct Prompt: Sendable, Equatable {
    /// The ids, up to the start of the completion's content.
    package let ids: [TokenID]
    /// The messages of the prompt.
    package let messages: [Message]
    /// The reference answer of the record, for reward rules that compare with it; nil when it has none.
    package let reference: String?
  }

  /// The prompts, in the order of the records.
  package let prompts: [Prompt]
  /// The counts of used and unused records.
  package let statistics: ExampleStatistics
  /// The id that ends a turn, and so completes a completion.
  package let endOfTurn: TokenID
  /// The ids that the chat template writes after the last end of a turn.
  package let afterLastTurn: [TokenID]

  /// Encodes the prompts of `records` with `chat`: prompts as they are, conversations without an
  /// answer at their end, pairs without their answers.
  ///
  /// Throws `DatasetError.badRecord` for a prompt that leaves no room for `completion` tokens in the
  /// context, and for a record without a prompt.
  package init(
    _ records: [LocatedRecord], chat: ChatEncoder, completion: Int, options: ExampleOptions
  ) throws(DatasetError) {
    precondition(completion >= 1, "completions of \(completion) tokens")
    var statistics = ExampleStatistics(of: "prompt")
    prompts = try options.map(records, of: chat, counting: &statistics) {
      record, statistics throws(RecordDefect) -> Prompt? in
      let (prompt, reference) = try Self.prompt(of: record)
      let ids = try chat.ids(of: prompt)
      guard ids.count + completion <= options.context else {
        throw .promptTooLong(tokens: ids.count, context: options.context, answer: completion)
      }
      statistics.tokens += ids.count
      return Prompt(ids: ids, messages: prompt.messages, reference: reference)
    }
    try options.requireExamples(statistics)
    self.statistics = statistics
    endOfTurn = chat.endOfTurn
    afterLastTurn = chat.afterLastTurn
  }

  private static func prompt(
    of record: Record
  ) throws(RecordDefect) -> (Conversation, reference: String?) {
    switch record {
    case .prompt(let prompt): return (prompt, nil)
    case .conversation(let conversation):
      let prompt = conversation.prompt
      return (prompt, prompt == conversation ? nil : conversation.messages.last?.content)
    case .pair(let pair) where !pair.prompt.messages.isEmpty: return (pair.prompt, nil)
    case .pair: throw .otherKind(found: "a pair without a prompt", wanted: "a prompt")
    case .unpaired, .labelled, .tagged: throw .otherKind(found: record.kind, wanted: "a prompt")
    }
  }
}
