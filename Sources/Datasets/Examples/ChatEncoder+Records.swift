import Tokenizers

extension ChatEncoder {
  /// Returns `conversation` as an example; throws `RecordDefect.unrendered` when the chat template
  /// refuses it.
  func example(_ conversation: Conversation) throws(RecordDefect) -> EncodedExample {
    do {
      return try encode(conversation)
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
      return try encode(answer, to: prompt)
    } catch {
      throw Self.defect(error)
    }
  }

  /// Returns the ids of `prompt`; throws `RecordDefect.unrendered` when the chat template refuses it.
  func ids(of prompt: Conversation) throws(RecordDefect) -> [TokenID] {
    do {
      return try encode(prompt: prompt)
    } catch {
      throw Self.defect(error)
    }
  }

  private static func defect(_ error: TokenizerError) -> RecordDefect {
    guard case .unrendered(let reason) = error else {
      return .unrendered(reason: error.description)
    }
    return .unrendered(reason: reason)
  }
}
