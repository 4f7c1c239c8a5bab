import Jinja

/// A chat template for one tokenizer: conversations to texts, and to ids of known origin.
///
/// - The end of a turn is the first special token that the template writes behind an answer's content,
///   so that generation stops at one id. Of the built-in templates it is their marker (`<|im_end|>`,
///   `<|eot_id|>`) where the tokenizer has it, otherwise, and with `plain`, the tokenizer's end of text.
///   What else the template writes is encoded with the tokenizer's special tokens as such.
/// - Content and what the template writes are encoded apart, and so are what is learned and what is
///   not: no token reaches across these borders, and the prompt of a generation ends exactly where the
///   answer's content begins in training.
/// - Content is plain text, whatever it says: a marker written by a user is no special token.
/// - `strftime_now` tells a template the same day always: the ids depend on nothing but their input.
public struct ChatEncoder: Sendable {
  /// The template.
  public let template: ChatTemplate
  /// The tokenizer.
  public let tokenizer: any Tokenizer
  /// The id that ends every turn, at which generation stops.
  public let endOfTurn: TokenID
  private let program: Template
  private let specialTokens: [PublishedTemplate.NamedToken]
  private let scanner: SpecialTokenScanner

  /// `template` for `tokenizer`; as many steps as the tokenizer has ids.
  public init(_ template: ChatTemplate, tokenizer: any Tokenizer) {
    self.template = template
    self.tokenizer = tokenizer
    program = template.program(for: tokenizer)
    specialTokens = template.specialTokens(of: tokenizer)
    scanner = SpecialTokenScanner(tokenizer)
    let turn = [Message(.user, "x"), Message(.assistant, "x")]
    var rendering = try? ChatRendering(
      turn + turn, program, specialTokens: specialTokens, addGenerationPrompt: false)
    // The last answer's end says most: behind an earlier one the next turn may begin at once.
    var found: [Int: TokenID] = [:]
    rendering?.markEnds(scanner) { message, id in
      found[message] = id
      return true
    }
    endOfTurn = found[3] ?? found[1] ?? tokenizer.endOfText
  }

  /// The text of `messages` in pieces, in order; with `addGenerationPrompt` the opening of an answer
  /// behind it.
  ///
  /// - Parameter first: The number of the first message of which is learned.
  ///
  /// Throws `TokenizerError.unrendered` when the template refuses the conversation.
  public func render(
    _ messages: [Message], addGenerationPrompt: Bool = false, learnedFrom first: Int = 0
  ) throws(TokenizerError) -> [ChatPiece] {
    var rendering = try ChatRendering(
      messages, program, specialTokens: specialTokens, addGenerationPrompt: addGenerationPrompt)
    rendering.markEnds(scanner) { _, id in id == endOfTurn }
    return rendering.pieces(
      of: messages, learnedFrom: first, marksGeneration: program.marksGeneration)
  }

  /// `conversation`, learned where the assistant speaks: its content and the end of its turn.
  ///
  /// The example ends with its last end of turn, where a generated answer ends too; what the template
  /// writes behind that belongs to the turn after it. Throws `TokenizerError.unrendered` when the
  /// template refuses the conversation.
  public func encode(_ conversation: Conversation) throws(TokenizerError) -> EncodedExample {
    try encode(conversation.messages, learnedFrom: 0)
  }

  /// `answer` to `prompt`, learned where the assistant speaks in the answer; otherwise the same.
  public func encode(
    _ answer: [Message], to prompt: [Message]
  ) throws(TokenizerError) -> EncodedExample {
    try encode(prompt + answer, learnedFrom: prompt.count)
  }

  /// What a model is given to answer `prompt`: its ids up to where the answer's content begins.
  public func encode(prompt: [Message]) throws(TokenizerError) -> [TokenID] {
    let pieces = try render(prompt, addGenerationPrompt: true, learnedFrom: prompt.count)
    return example(of: pieces[...]).ids
  }

  private func encode(
    _ messages: [Message], learnedFrom first: Int
  ) throws(TokenizerError) -> EncodedExample {
    let pieces = try render(messages, learnedFrom: first)
    let end = pieces.lastIndex { $0.origin == .endOfTurn || $0.isLearned }
    return example(of: pieces[...(end ?? pieces.count - 1)])
  }

  /// The ids of `pieces`: a run of the template at a time, a content at a time.
  private func example(of pieces: ArraySlice<ChatPiece>) -> EncodedExample {
    var ids: [TokenID] = []
    var isTrained: [Bool] = []
    var rest = pieces
    while let first = rest.popFirst() {
      var new: [TokenID]
      if first.origin == .content {
        new = tokenizer.encode(first.text)
      } else {
        var text = first.text
        while let next = rest.first, next.isLearned == first.isLearned, next.origin != .content,
          (next.origin == .endOfTurn) == (first.origin == .endOfTurn)
        {
          text += next.text
          rest.removeFirst()
        }
        new = scanner.ids(of: text, tokenizer)
      }
      ids += new
      isTrained += repeatElement(first.isLearned, count: new.count)
    }
    return EncodedExample(ids: ids, isTrained: isTrained)
  }
}
