import Files
import Tokenizers

/// Conversations encoded as examples for fine-tuning.
package struct ExampleSet: Sendable {
  package let examples: EncodedExamples
  /// The counts of used and unused records.
  package let statistics: ExampleStatistics
  /// The id that ends a turn.
  package let endOfTurn: TokenID
  /// The id that ends a turn that calls tools.
  private let endOfToolCalls: TokenID
  /// The padding id.
  package let padding: TokenID

  /// Encodes the conversations `records` with `chat`.
  ///
  /// An example may have one token more than the context: the first is only an input, the last only a
  /// target. Longer examples are left out and counted, or truncated if `options.truncates`. Throws
  /// `DatasetError.badRecord` for a record that is not a conversation, or whose prompt leaves no room
  /// for an answer.
  package init(
    _ records: [LocatedRecord], chat: ChatEncoder, options: ExampleOptions
  ) throws(DatasetError) {
    var statistics = ExampleStatistics()
    let made = try options.map(records, of: chat, counting: &statistics) {
      record, statistics throws(RecordDefect) -> EncodedExample? in
      guard case .conversation(let conversation) = record else {
        throw .otherKind(found: record.kind, wanted: "a conversation")
      }
      try conversation.requireLoss()
      var example = try chat.example(conversation)
      if example.ids.count > options.context + 1 { example = example.endingWithLoss }
      let prompt = example.lossMask.firstIndex(of: true) ?? example.ids.count
      let used = try options.usableLength(
        example.ids.count, prompt: prompt, limit: options.context + 1, counting: &statistics)
      return used.map { example.prefix($0) }
    }
    try options.requireExamples(statistics)
    self.init(
      EncodedExamples(made), endOfTurn: chat.endOfTurn, endOfToolCalls: chat.endOfToolCalls,
      padding: chat.tokenizer.endOfText, statistics: statistics)
  }

  /// Creates a set of encoded `examples` whose turns end with `endOfTurn`; batches are padded with
  /// `padding`.
  package init(
    _ examples: EncodedExamples, endOfTurn: TokenID, endOfToolCalls: TokenID? = nil,
    padding: TokenID, statistics: ExampleStatistics = ExampleStatistics()
  ) {
    self.examples = examples
    self.endOfTurn = endOfTurn
    self.endOfToolCalls = endOfToolCalls ?? endOfTurn
    self.padding = padding
    var statistics = statistics
    statistics.examples = examples.count
    statistics.tokens = examples.tokens
    statistics.lossTokens = examples.lossTokens
    self.statistics = statistics
  }

  /// Throws `DatasetError.invalidLossMask` when the loss mask includes no token, every token, or no end
  /// of a turn: no model trained on it would answer and stop.
  package func checkLossMask() throws(DatasetError) {
    if statistics.lossTokens == 0 { throw .invalidLossMask(.nothing) }
    if statistics.lossTokens == statistics.tokens { throw .invalidLossMask(.everything) }
    if !examples.isInLoss(endOfTurn), !examples.isInLoss(endOfToolCalls) {
      throw .invalidLossMask(.noEndOfTurn(truncated: statistics.truncated))
    }
  }
}

/// The reason why the loss mask of examples cannot train a model that answers and stops.
package enum LossMaskDefect: Equatable, Sendable, CustomStringConvertible {
  /// The loss mask includes no token.
  case nothing
  /// The loss mask includes every token, prompts too.
  case everything
  /// The loss mask never includes the end of a turn; `truncated` examples were cut.
  case noEndOfTurn(truncated: Int)

  /// The defect as the end of a sentence about the loss mask.
  package var description: String {
    switch self {
    case .nothing:
      "includes no token: the chat template leaves out the contents of the answers; name another "
        + "template"
    case .everything:
      "includes every token, prompts too: the examples hold only answers; add prompts, or pretrain "
        + "on the text"
    case .noEndOfTurn(let truncated):
      "never includes the end of a turn, so the model would not stop"
        + (truncated > 0 ? ": \(truncated, "example was", "examples were") cut before it" : "")
        + "; raise the context or leave long examples out"
    }
  }
}

extension Conversation {
  /// Throws unless an answer is in the loss.
  func requireLoss() throws(RecordDefect) {
    guard messages.contains(where: \.isInLoss) else { throw .nothingInLoss }
  }
}

extension EncodedExample {
  /// The example up to its last token in the loss: nothing is learned from those after it.
  var endingWithLoss: EncodedExample {
    lossMask.lastIndex(of: true).map { prefix($0 + 1) } ?? self
  }

  /// Returns the first `count` tokens of the example.
  func prefix(_ count: Int) -> EncodedExample {
    count == ids.count
      ? self : EncodedExample(ids: Array(ids[..<count]), lossMask: Array(lossMask[..<count]))
  }
}
