import Tokenizers

/// What a model is asked in reinforcement learning: prompts, and the answers that are known to them.
public struct PromptSet: Sendable {
  /// A prompt as ids.
  public struct Prompt: Sendable, Equatable {
    /// The ids, up to where the answer's content begins.
    public let ids: [TokenID]
    /// The messages that they were made of.
    public let messages: [Message]
    /// The answer that the data gives, for rules that compare with it; nil when it gives none.
    public let reference: String?
  }

  /// The prompts, in the order of the records.
  public let prompts: [Prompt]
  /// What became of the records.
  public let statistics: ExampleStatistics
  /// The id that ends a turn, at which an answer is complete.
  public let endOfTurn: TokenID

  /// The prompts of `records` as `chat` writes them: prompts as they are, conversations without their
  /// last answer, pairs without their answers.
  ///
  /// Throws `DatasetError.badRecord` for a prompt that leaves no room for `answer` tokens in the
  /// context, and for a record that asks nothing.
  public init(
    _ records: [LocatedRecord], chat: ChatEncoder, answer: Int, options: ExampleOptions
  ) throws(DatasetError) {
    precondition(answer >= 1, "answers of \(answer) tokens")
    var statistics = ExampleStatistics()
    prompts = try options.map(records, counting: &statistics) {
      record, statistics throws(RecordDefect) -> Prompt? in
      let (messages, reference) = try Self.question(of: record)
      let ids = try chat.ids(of: messages)
      guard ids.count + answer <= options.context else {
        throw .promptTooLong(tokens: ids.count, context: options.context, answer: answer)
      }
      statistics.tokens += ids.count
      return Prompt(ids: ids, messages: messages, reference: reference)
    }
    try options.requireExamples(statistics)
    self.statistics = statistics
    endOfTurn = chat.endOfTurn
  }

  private static func question(
    of record: Record
  ) throws(RecordDefect) -> (messages: [Message], reference: String?) {
    switch record {
    case .prompt(let messages): return (messages, nil)
    case .conversation(let conversation):
      return (conversation.messages.dropLast(), conversation.messages.last?.content)
    case .pair(let pair) where !pair.prompt.isEmpty: return (pair.prompt, nil)
    case .pair: throw .otherKind(found: "a pair without a prompt", wanted: "a prompt")
    case .labelled, .tagged: throw .otherKind(found: record.kind, wanted: "a prompt")
    }
  }
}
