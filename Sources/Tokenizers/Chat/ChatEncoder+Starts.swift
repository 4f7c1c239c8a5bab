extension ChatEncoder {
  /// The most messages that are rendered to find the prompts of one conversation: rendering all of
  /// them is quadratic in its length.
  static let mostRenderedMessages = 20_000

  /// Returns for each of `answers`, indices of messages, the byte of the conversation's text at which
  /// the prompt of its generation ends.
  ///
  /// A template may render the past differently, such as tools only before the last question. Then
  /// what follows the message before the answer in the prompt must follow it in the conversation; or
  /// else the template's text before the answer must have the text that `add_generation_prompt` adds.
  /// Only the latter applies to an answer at the beginning, which has no prompt. An answer without such
  /// a place has no start. Neither have the earlier answers of a conversation that would need more than
  /// `mostRenderedMessages` rendered messages.
  ///
  /// Throws `TokenizerError.unrendered` when the template joins two answers in one turn.
  func starts(
    of answers: [Int], in conversation: Conversation, _ rendering: ChatRendering
  ) throws(TokenizerError) -> [Int: Int] {
    let messages = conversation.messages
    let text = rendering.bytes
    // An answer outside the loss that follows one in it may be joined with it.
    let following = answers.map { $0 + 1 }.filter {
      $0 < messages.count && messages[$0].role == .assistant
    }
    var starts: [Int: Int] = [:]
    var count = 0
    for answer in Set(answers + following).sorted(by: >) {
      count += answer
      if count > Self.mostRenderedMessages { break }
      starts[answer] = rendering.end(of: generationPrompt, beforeContentOf: answer)
      if answer == 0 { continue }
      let before = Conversation(messages[..<answer], tools: conversation.tools)
      guard let prompt = try? ChatRendering(before, program, addGenerationPrompt: true) else {
        continue
      }
      let bytes = prompt.bytes
      if text.starts(with: bytes) {
        starts[answer] = bytes.count
      } else if let end = prompt.contentEnd(of: answer - 1),
        let own = rendering.contentEnd(of: answer - 1)
      {
        if text[own...].starts(with: bytes[end...]) {
          starts[answer] = own + bytes.count - end
        } else if starts[answer] == nil, messages[answer - 1].role == .assistant,
          let start = rendering.contentStart(of: answer), own <= start,
          let closed = try? ChatRendering(before, program, addGenerationPrompt: false),
          let closedEnd = closed.contentEnd(of: answer - 1)
        {
          // Of the prompt, the conversation must have more than the end of the turn before.
          let common = zip(text[own..<start], bytes[end...]).prefix { $0 == $1 }.count
          guard common > closed.bytes.count - closedEnd else {
            throw .unrendered(
              reason: "the chat template joins messages \(answer) and \(answer + 1), both of the "
                + "assistant, in one turn")
          }
        }
      }
    }
    return starts
  }
}

extension ChatProgram {
  /// Returns the text that `add_generation_prompt` adds after `question`; none where the template
  /// refuses it.
  func generationPrompt(after question: Message) -> [UInt8] {
    func text(_ addGenerationPrompt: Bool) -> [UInt8]? {
      (try? ChatRendering([question], self, addGenerationPrompt: addGenerationPrompt))?.bytes
    }
    guard let without = text(false), let with = text(true), with.starts(with: without) else {
      return []
    }
    return Array(with[without.count...])
  }
}
