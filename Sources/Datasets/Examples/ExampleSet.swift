import Tokenizers

/// Conversations as examples to fine-tune on.
public struct ExampleSet: Sendable {
  /// The examples.
  public let examples: EncodedExamples
  /// What became of the records.
  public let statistics: ExampleStatistics
  /// The id that ends a turn.
  public let endOfTurn: TokenID
  /// The id that fills rows up.
  public let padding: TokenID

  /// The conversations `records` as `chat` writes them.
  ///
  /// An example may have one token more than the context: the first is only given, the last only
  /// predicted. Longer ones are left out and counted, or cut where `options` say so. Throws
  /// `DatasetError.badRecord` for a record that is no conversation, or whose prompt leaves no room for
  /// an answer.
  public init(
    _ records: [LocatedRecord], chat: ChatEncoder, options: ExampleOptions
  ) throws(DatasetError) {
    var statistics = ExampleStatistics()
    let made = try options.map(records, counting: &statistics) {
      record, statistics throws(RecordDefect) -> EncodedExample? in
      guard case .conversation(let conversation) = record else {
        throw .otherKind(found: record.kind, wanted: "a conversation")
      }
      let example = try chat.example(conversation.messages)
      let prompt = example.isTrained.firstIndex(of: true) ?? example.ids.count
      let used = try options.used(
        example.ids.count, prompt: prompt, room: options.context + 1, counting: &statistics)
      return used.map { example.prefix($0) }
    }
    try options.requireExamples(statistics)
    self.init(
      EncodedExamples(made), endOfTurn: chat.endOfTurn, padding: chat.tokenizer.endOfText,
      statistics: statistics)
  }

  /// `examples` made elsewhere, whose turns end with `endOfTurn`; rows are filled up with `padding`.
  public init(
    _ examples: EncodedExamples, endOfTurn: TokenID, padding: TokenID,
    statistics: ExampleStatistics = ExampleStatistics()
  ) {
    self.examples = examples
    self.endOfTurn = endOfTurn
    self.padding = padding
    var statistics = statistics
    statistics.examples = examples.count
    statistics.tokens = examples.tokens
    statistics.trainedTokens = examples.trainedTokens
    self.statistics = statistics
  }

  /// Throws `DatasetError.uselessMask` when nothing is learned, or everything, or never the end of a
  /// turn: no such model answers and stops.
  public func checkMask() throws(DatasetError) {
    if statistics.trainedTokens == 0 { throw .uselessMask(.nothing) }
    if statistics.trainedTokens == statistics.tokens { throw .uselessMask(.everything) }
    if !examples.trains(endOfTurn) {
      throw .uselessMask(.noEndOfTurn(truncated: statistics.truncated))
    }
  }
}

/// Why what is learned of examples makes no model that answers.
public enum MaskDefect: Equatable, Sendable, CustomStringConvertible {
  /// No token is learned.
  case nothing
  /// Every token is learned, prompts too.
  case everything
  /// The end of a turn is never learned; so many examples were cut.
  case noEndOfTurn(truncated: Int)

  /// The defect as the end of a sentence about the mask.
  public var description: String {
    switch self {
    case .nothing:
      "learns none of the tokens: there is no answer among the examples; add conversations in which "
        + "the assistant speaks"
    case .everything:
      "learns every token, prompts too: the examples hold nothing but answers; add what is asked, or "
        + "pretrain on the text"
    case .noEndOfTurn(let truncated):
      "never learns the end of a turn, so the model would not stop"
        + (truncated > 0 ? ": \(truncated) examples were cut before it" : "")
        + "; raise the context or leave long examples out"
    }
  }
}

extension EncodedExample {
  /// Its first `count` tokens.
  func prefix(_ count: Int) -> EncodedExample {
    count == ids.count
      ? self : EncodedExample(ids: Array(ids[..<count]), isTrained: Array(isTrained[..<count]))
  }
}
