import Jinja

/// A chat template bound to one tokenizer: it renders conversations and encodes them to ids with a
/// loss mask.
///
/// - The end of a turn is the first special token that the template writes after the assistant's
///   content, so that generation stops at one id. For a built-in template it is its marker
///   (`<|im_end|>`, `<|eot_id|>`) if the tokenizer has it; otherwise, and for `plain`, it is the
///   tokenizer's end of text. Special tokens elsewhere in the template's text are encoded as such.
/// - Content and template text are encoded separately, and so are texts inside and outside of the
///   loss mask: no token reaches across these borders, and the prompt of a generation ends exactly
///   where the assistant's content begins in training.
/// - Content is always plain text: a marker that a user writes is not a special token.
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
    scanner = SpecialTokenScanner(tokenizer)
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
    return rendering.pieces(
      of: messages, lossFrom: first, marksGeneration: program.marksGeneration)
  }

  /// Encodes `conversation`; the loss mask covers the assistant's content and its end-of-turn
  /// token.
  ///
  /// The example ends with the last end-of-turn token, where a generated completion ends too; the
  /// template text after it belongs to the next turn. Throws `TokenizerError.unrendered` when the
  /// template refuses the conversation.
  package func encode(_ conversation: Conversation) throws(TokenizerError) -> EncodedExample {
    try encode(conversation.messages, lossFrom: 0)
  }

  /// Encodes `prompt` followed by `answer`; the loss mask covers only the assistant's turns of
  /// `answer`.
  ///
  /// Throws `TokenizerError.unrendered` when the template refuses the conversation.
  package func encode(
    _ answer: [Message], to prompt: [Message]
  ) throws(TokenizerError) -> EncodedExample {
    try encode(prompt + answer, lossFrom: prompt.count)
  }

  /// Encodes `prompt` for generation: the ids end where the assistant's content begins.
  ///
  /// Throws `TokenizerError.unrendered` when the template refuses the conversation.
  package func encode(prompt: [Message]) throws(TokenizerError) -> [TokenID] {
    let pieces = try render(prompt, addGenerationPrompt: true, lossFrom: prompt.count)
    return example(of: pieces[...]).ids
  }

  private func encode(
    _ messages: [Message], lossFrom first: Int
  ) throws(TokenizerError) -> EncodedExample {
    let pieces = try render(messages, lossFrom: first)
    let end = pieces.lastIndex { $0.origin == .endOfTurn || $0.isInLoss }
    return example(of: pieces[...(end ?? pieces.count - 1)])
  }

  /// Encodes `pieces`: each content alone, and each run of template text with equal loss mask.
  private func example(of pieces: ArraySlice<ChatPiece>) -> EncodedExample {
    var ids: [TokenID] = []
    var lossMask: [Bool] = []
    var rest = pieces
    while let first = rest.popFirst() {
      var new: [TokenID]
      if first.origin == .content {
        new = tokenizer.encode(first.text)
      } else {
        var text = first.text
        while let next = rest.first, next.isInLoss == first.isInLoss, next.origin != .content,
          (next.origin == .endOfTurn) == (first.origin == .endOfTurn)
        {
          text += next.text
          rest.removeFirst()
        }
        new = scanner.ids(of: text, tokenizer)
      }
      ids += new
      lossMask += repeatElement(first.isInLoss, count: new.count)
    }
    return EncodedExample(ids: ids, lossMask: lossMask)
  }
}
