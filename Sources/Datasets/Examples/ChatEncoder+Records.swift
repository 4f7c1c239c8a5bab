import Tokenizers

extension ChatEncoder {
  /// Returns `conversation` as an example; throws `RecordDefect.unrendered` when the chat template
  /// refuses it.
  func example(_ conversation: Conversation) throws(RecordDefect) -> EncodedExample {
    do {
      return try Self.withLoss(try encode(conversation))
    } catch {
      throw Self.defect(error)
    }
  }

  /// Returns `prompt` and `answer` as an example; throws `RecordDefect.unrendered` when the chat
  /// template refuses them.
  func example(
    _ answer: [Message], to prompt: Conversation
  ) throws(RecordDefect) -> EncodedExample {
    do {
      return try Self.withLoss(try encode(answer, to: prompt))
    } catch {
      throw Self.defect(error)
    }
  }

  /// Returns `example`, unless it has no token in the loss.
  private static func withLoss(_ example: EncodedExample) throws(TokenizerError) -> EncodedExample {
    guard example.lossMask.contains(true) else {
      throw .unrendered(reason: "the chat template leaves out the contents of its answers")
    }
    return example
  }

  /// Returns the ids of `prompt`; throws `RecordDefect.unrendered` when the chat template refuses it.
  func ids(of prompt: Conversation) throws(RecordDefect) -> [TokenID] {
    do {
      return try encode(prompt: prompt)
    } catch {
      throw Self.defect(error)
    }
  }

  /// Returns the names of the fields of the messages of `record` that the chat template leaves out.
  func fieldsLeftOut(of record: Record) -> Set<String> {
    let conversations: [Conversation] =
      switch record {
      case .conversation(let conversation), .prompt(let conversation): [conversation]
      case .pair(let pair):
        [pair.chosen, pair.rejected].map {
          Conversation(pair.prompt.messages + $0, tools: pair.prompt.tools)
        }
      case .unpaired(let preference):
        [
          Conversation(
            preference.prompt.messages + preference.answer, tools: preference.prompt.tools)
        ]
      case .labelled, .tagged: []
      }
    return conversations.reduce(into: []) {
      $0.formUnion(fieldsLeftOut(of: $1, except: FieldMeaning.isMetadata))
    }
  }

  private static func defect(_ error: TokenizerError) -> RecordDefect {
    guard case .unrendered(let reason) = error else {
      return .unrendered(reason: error.description)
    }
    return .unrendered(reason: reason)
  }
}
