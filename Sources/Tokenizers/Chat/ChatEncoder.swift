import Jinja

/// A chat template bound to one tokenizer: it renders conversations and encodes them to ids with a
/// loss mask.
///
/// - The end of a turn is the first special token that the template writes after the assistant's
///   content, so that generation stops at one id. For a built-in template it is its marker
///   (`<|im_end|>`, `<|eot_id|>`) if the tokenizer has it; otherwise, and for `plain`, it is the
///   tokenizer's end of text. Special tokens elsewhere in the template's text are encoded as such.
/// - The rendered text is encoded as a whole, as transformers' `apply_chat_template` does: a token
///   may reach from the template's text into a content.
/// - Content is always plain text: a marker that a user writes is not a special token.
/// - The loss mask covers what the model itself has to write: it begins where the prompt of a
///   generation ends, that is, the template's text for the messages before the answer with
///   `add_generation_prompt`, and ends with the end of the turn. A token across the beginning is in
///   the loss.
/// - `strftime_now` always returns the same day: the ids depend on the input alone.
package struct ChatEncoder: Sendable {
  package let template: ChatTemplate
  package let tokenizer: any Tokenizer
  /// The id that ends every turn, at which generation stops.
  package let endOfTurn: TokenID
  private let program: Template
  private let specialTokens: [PublishedTemplate.NamedToken]
  private let scanner: SpecialTokenScanner

  /// Binds `template` to `tokenizer`, in O(vocabularySize).
  package init(_ template: ChatTemplate, tokenizer: any Tokenizer) {
    self.template = template
    self.tokenizer = tokenizer
    program = template.program(for: tokenizer)
    specialTokens = template.specialTokens(of: tokenizer)
    scanner = tokenizer.specialTokenScanner
    let turn = [Message(.user, "x"), Message(.assistant, "x")]
    var rendering = try? ChatRendering(
      turn + turn, program, specialTokens: specialTokens, addGenerationPrompt: false)
    // The end of the last turn is preferred: after an earlier one the next turn may begin at once.
    var found: [Int: TokenID] = [:]
    rendering?.markTurnEnds(scanner) { message, id in
      found[message] = id
      return true
    }
    endOfTurn = found[3] ?? found[1] ?? tokenizer.endOfText
  }

  /// Renders `messages` to pieces in order, followed by the opening of an assistant turn if
  /// `addGenerationPrompt`.
  ///
  /// - Parameter first: The index of the first message that may be in the loss mask.
  ///
  /// Throws `TokenizerError.unrendered` when the template refuses the conversation.
  package func render(
    _ messages: [Message], addGenerationPrompt: Bool = false, lossFrom first: Int = 0
  ) throws(TokenizerError) -> [ChatPiece] {
    var rendering = try ChatRendering(
      messages, program, specialTokens: specialTokens, addGenerationPrompt: addGenerationPrompt)
    rendering.markTurnEnds(scanner) { _, id in id == endOfTurn }
    if program.marksGeneration { return rendering.generatedPieces(lossFrom: first) }
    let answers = messages.indices.filter { $0 >= first && messages[$0].role == .assistant }
    let prompts = promptLengths(before: answers, of: messages, in: rendering)
    return rendering.pieces(lossOf: answers, after: prompts)
  }

  /// The most messages that are rendered to find the prompts of one conversation: rendering all of
  /// them is quadratic in its length.
  private static let mostRenderedMessages = 20_000

  /// Returns for each of `answers`, indices of `messages`, the number of bytes of its prompt; none
  /// where the text of the conversation does not begin with that prompt, as in a template that
  /// renders the past differently, and for the earlier answers of a very long conversation.
  private func promptLengths(
    before answers: [Int], of messages: [Message], in rendering: ChatRendering
  ) -> [Int: Int] {
    let text = rendering.parts.flatMap { Array($0.text.utf8) }
    var lengths: [Int: Int] = [:]
    var count = 0
    for answer in answers.reversed() {
      count += answer
      if count > Self.mostRenderedMessages { break }
      let prompt = try? ChatRendering(
        Array(messages[..<answer]), program, specialTokens: specialTokens, addGenerationPrompt: true
      )
      guard let bytes = prompt?.parts.flatMap({ Array($0.text.utf8) }), text.starts(with: bytes)
      else { continue }
      lengths[answer] = bytes.count
    }
    return lengths
  }

  /// Encodes `conversation`; the loss mask covers the assistant's turns.
  ///
  /// Throws `TokenizerError.unrendered` when the template refuses the conversation.
  package func encode(_ conversation: Conversation) throws(TokenizerError) -> EncodedExample {
    example(of: try render(conversation.messages)[...])
  }

  /// Encodes `prompt` followed by `answer`; the loss mask covers only the assistant's turns of
  /// `answer`.
  ///
  /// Throws `TokenizerError.unrendered` when the template refuses the conversation.
  package func encode(
    _ answer: [Message], to prompt: [Message]
  ) throws(TokenizerError) -> EncodedExample {
    example(of: try render(prompt + answer, lossFrom: prompt.count)[...])
  }

  /// The ids that the template writes after the last end of a turn, such as those of a line feed.
  package var afterLastTurn: [TokenID] {
    let ids = (try? encode([Message(.assistant, "x")], to: [Message(.user, "x")]).ids) ?? []
    return ids.lastIndex(of: endOfTurn).map { Array(ids[($0 + 1)...]) } ?? []
  }

  /// Encodes `prompt` for generation, up to where the assistant's turn begins.
  ///
  /// Throws `TokenizerError.unrendered` when the template refuses the conversation.
  package func encode(prompt: [Message]) throws(TokenizerError) -> [TokenID] {
    let pieces = try render(prompt, addGenerationPrompt: true, lossFrom: prompt.count)
    return example(of: pieces[...]).ids
  }

  /// Encodes the text of `pieces` as a whole; special tokens are found in all but contents.
  ///
  /// A token is in the loss when one of its bytes is; a special token, whose range may include white
  /// space on both sides, when its first byte other than white space is.
  func example(of pieces: ArraySlice<ChatPiece>) -> EncodedExample {
    var text: [UInt8] = []
    var isInLoss: [Bool] = []
    var places = RangeSet<Int>()
    for piece in pieces {
      let start = text.count
      text += piece.text.utf8
      isInLoss += repeatElement(piece.isInLoss, count: text.count - start)
      if piece.origin != .content { places.insert(contentsOf: start..<text.count) }
    }
    let encoding = text.withUnsafeBufferPointer {
      tokenizer.encoding(of: $0, specialTokensIn: places)
    }
    let lossMask = zip(encoding.ids, encoding.offsets).map { id, range in
      let own =
        tokenizer.isSpecial(id) ? range.drop { isWhiteSpace(UInt32(text[$0])) }.prefix(1) : range
      return isInLoss[own].contains(true)
    }
    return EncodedExample(ids: encoding.ids, lossMask: lossMask)
  }
}
