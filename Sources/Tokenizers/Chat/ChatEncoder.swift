import Files
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
/// - Content is always plain text: a marker that a user writes is not a special token. The same
///   holds for tools and tool calls.
/// - The loss mask covers what the model itself has to write: it begins where the prompt of a
///   generation ends, that is, the template's text for the messages before the answer with
///   `add_generation_prompt`, and ends with the end of the turn. A token across the beginning is in
///   the loss.
/// - The template decides which roles may follow each other. Every answer has its own turn, wherever
///   it stands; a template that leaves a message out or joins two answers is refused.
/// - A message of the assistant that its record takes out of the loss is not in the mask.
/// - `strftime_now` always returns the same day: the ids depend on the input alone.
package struct ChatEncoder: Sendable {
  package let template: ChatTemplate
  package let tokenizer: any Tokenizer
  /// The id that ends every turn, at which generation stops.
  package let endOfTurn: TokenID
  /// The id that ends a turn of the assistant that calls tools; often `endOfTurn`.
  package let endOfToolCalls: TokenID
  let program: ChatProgram
  /// The text that `add_generation_prompt` adds after a question.
  let generationPrompt: [UInt8]
  private let scanner: SpecialTokenScanner

  /// Binds `template` to `tokenizer`, in O(vocabularySize).
  package init(_ template: ChatTemplate, tokenizer: any Tokenizer) {
    self.template = template
    self.tokenizer = tokenizer
    program = ChatProgram(template, tokenizer: tokenizer)
    scanner = tokenizer.specialTokenScanner
    let turn = Message.turnExample
    generationPrompt = program.generationPrompt(after: turn[0])
    // The end of the last turn is preferred: after an earlier one the next turn may begin at once.
    let ends = Self.ends(of: turn + turn, program, scanner) { $0.specials.isEmpty ? nil : 0 }
    let endOfTurn = ends[3] ?? ends[1] ?? tokenizer.endOfText
    self.endOfTurn = endOfTurn
    endOfToolCalls =
      Message.toolCallExamples.lazy.compactMap { [program, scanner] call in
        let messages = [turn[0]] + call + [turn[1]]
        let closings = Self.closings(Conversation(messages), program)
        return Self.ends(of: messages, program, scanner) {
          Self.end(of: messages[$0.message], $0, closings, endOfTurn)
        }[1]
      }.first ?? endOfTurn
  }

  /// Sentences, for logs, on what may surprise.
  package var notes: [String] { [note, dateNote].compactMap(\.self) }

  /// The sentence, for logs, that the tokenizer lacks special tokens of the built-in template; nil
  /// when it has all.
  package var note: String? {
    let missing = template.markers.filter { tokenizer.specialToken($0) == nil }
    guard !missing.isEmpty else { return nil }
    let end = String(decoding: (try? tokenizer.bytes(of: endOfTurn)) ?? [], as: UTF8.self)
    return "the tokenizer has no special tokens \(missing.joined(separator: ", ")) for the "
      + "template \(template.name), so its markers are ordinary text and a turn ends with \(end); "
      + "apus tokenizer train --template \(template.name) makes a tokenizer with them"
  }

  /// The sentence, for logs, on the day that a template which writes today's date gets; nil for others.
  package var dateNote: String? {
    guard template.jinja(for: tokenizer).contains("strftime_now") else { return nil }
    return
      "the chat template asks for today's date and always gets 26 July 2024, so that the ids do not "
      + "depend on the day"
  }

  /// Returns the special token that `end` chooses as the end of each message's turn.
  private static func ends(
    of messages: [Message], _ program: ChatProgram, _ scanner: SpecialTokenScanner,
    _ end: (ChatRendering.Closing) -> Int?
  ) -> [Int: TokenID] {
    guard
      var rendering = try? ChatRendering(
        Conversation(messages), program, addGenerationPrompt: false)
    else { return [:] }
    rendering.release(after: closings(Conversation(messages), program))
    var found: [Int: TokenID] = [:]
    rendering.markTurnEnds(scanner) { closing in
      let place = end(closing)
      found[closing.message] = place.map { closing.specials[$0].id }
      return place
    }
    return found
  }

  /// Returns the index of the special token that ends the turn of `message`; nil when there is none.
  ///
  /// It is `endOfTurn`. A turn that calls tools may end with another token: the last one in the text of
  /// the conversation up to the call, or else the first one after it, such as Llama's `<|eom_id|>` or
  /// GLM's `<|observation|>`.
  private static func end(
    of message: Message, _ closing: ChatRendering.Closing, _ closings: [Int: Int],
    _ endOfTurn: TokenID
  ) -> Int? {
    let usual = closing.specials.firstIndex { $0.id == endOfTurn }
    guard message.callsTools else { return usual }
    let next = closing.isFollowed && !closing.specials.isEmpty ? 0 : nil
    guard let end = closings[closing.message] else { return usual ?? next }
    return closing.specials.lastIndex { $0.end <= end } ?? next
  }

  /// Returns for each message that calls tools the byte at which the text of the conversation up to it
  /// ends; none where the text of the conversation does not begin with that text, and for the later
  /// calls of a very long conversation.
  private static func closings(_ conversation: Conversation, _ program: ChatProgram) -> [Int: Int] {
    let messages = conversation.messages
    let calls = messages.indices.filter { messages[$0].callsTools }
    guard !calls.isEmpty,
      let text = try? ChatRendering(conversation, program, addGenerationPrompt: false).bytes
    else { return [:] }
    var ends: [Int: Int] = [:]
    var count = 0
    for call in calls {
      count += call + 1
      if count > mostRenderedMessages { break }
      let own = Conversation(messages[...call], tools: conversation.tools)
      guard let bytes = try? ChatRendering(own, program, addGenerationPrompt: false).bytes,
        text.starts(with: bytes)
      else { continue }
      ends[call] = bytes.count
    }
    return ends
  }

  /// Renders `conversation` to pieces in order, followed by the opening of an assistant turn if
  /// `addGenerationPrompt`.
  ///
  /// - Parameter first: The index of the first message that may be in the loss mask.
  ///
  /// Throws `TokenizerError.unrendered` when the template refuses the conversation, leaves out its tools,
  /// its tool calls or a content, or joins two answers.
  package func render(
    _ conversation: Conversation, addGenerationPrompt: Bool = false, lossFrom first: Int = 0
  ) throws(TokenizerError) -> [ChatPiece] {
    let messages = conversation.messages
    var rendering = try ChatRendering(
      conversation, program, addGenerationPrompt: addGenerationPrompt)
    let closings = Self.closings(conversation, program)
    rendering.release(after: closings)
    rendering.markTurnEnds(scanner) {
      Self.end(of: messages[$0.message], $0, closings, endOfTurn)
    }
    if program.program(for: conversation.tools).marksGeneration {
      return rendering.generatedPieces {
        $0 >= first && ($0 >= messages.count || messages[$0].maskedBy == nil)
      }
    }
    let answers = messages.indices.filter { $0 >= first && messages[$0].isInLoss }
    let starts = try starts(of: answers, in: conversation, rendering)
    return rendering.pieces(lossOf: answers, from: starts, to: closings)
  }

  /// Encodes `conversation`; the loss mask covers the assistant's turns.
  ///
  /// Throws `TokenizerError.unrendered` when the template refuses the conversation.
  package func encode(_ conversation: Conversation) throws(TokenizerError) -> EncodedExample {
    example(of: try render(conversation)[...])
  }

  /// Encodes `prompt` followed by `answer`; the loss mask covers only the assistant's turns of
  /// `answer`.
  ///
  /// Throws `TokenizerError.unrendered` when the template refuses the conversation.
  package func encode(
    _ answer: [Message], to prompt: Conversation
  ) throws(TokenizerError) -> EncodedExample {
    example(
      of: try render(
        Conversation(prompt.messages + answer, tools: prompt.tools),
        lossFrom: prompt.messages.count)[...])
  }

  /// The ids that the template writes after the last end of a turn, such as those of a line feed.
  package var afterLastTurn: [TokenID] {
    let ids =
      (try? encode([Message.turnExample[1]], to: [Message.turnExample[0]]).ids) ?? []
    return ids.lastIndex(of: endOfTurn).map { Array(ids[($0 + 1)...]) } ?? []
  }

  /// Encodes `prompt` for generation, up to where the assistant's turn begins.
  ///
  /// Throws `TokenizerError.unrendered` when the template refuses the conversation.
  package func encode(prompt: Conversation) throws(TokenizerError) -> [TokenID] {
    let pieces = try render(prompt, addGenerationPrompt: true, lossFrom: prompt.messages.count)
    return example(of: pieces[...]).ids
  }

  /// Encodes the text of `pieces` as a whole; special tokens are found in all but contents.
  ///
  /// A token is in the loss when one of its bytes is; a special token, whose range may include white
  /// space on both sides, when its first byte other than white space is.
  func example(of pieces: ArraySlice<ChatPiece>) -> EncodedExample {
    let isInLoss = pieces.flatMap { repeatElement($0.isInLoss, count: $0.text.utf8.count) }
    let (text, _, encoding) = encoding(of: pieces)
    let lossMask = zip(encoding.ids, encoding.offsets).map { id, range in
      let own =
        tokenizer.isSpecial(id) ? range.drop { isWhiteSpace(UInt32(text[$0])) }.prefix(1) : range
      return isInLoss[own].contains(true)
    }
    return EncodedExample(ids: encoding.ids, lossMask: lossMask)
  }

  /// Returns the text of `pieces`, the ranges of its bytes that the template writes, and its tokens.
  func encoding(
    of pieces: ArraySlice<ChatPiece>
  ) -> (text: [UInt8], places: RangeSet<Int>, encoding: TokenEncoding) {
    var text: [UInt8] = []
    var places = RangeSet<Int>()
    for piece in pieces {
      let start = text.count
      text += piece.text.utf8
      if piece.origin != .content { places.insert(contentsOf: start..<text.count) }
    }
    let encoding = text.withUnsafeBufferPointer {
      tokenizer.encoding(of: $0, specialTokensIn: places)
    }
    return (text, places, encoding)
  }
}

extension Message {
  /// A question and its answer, whose contents every template can read: one that wants strings receives
  /// strings.
  static let turnExample = [Message(.user, parts: ["x"]), Message(.assistant, parts: ["x"])]

  /// A call of a tool and its result, in the forms that templates read: with arguments as an object,
  /// and as text.
  static let toolCallExamples: [[Message]] =
    [["x": "x"], "x"].map { (arguments: JSONValue) in
      let function: JSONValue = ["name": "x", "arguments": arguments]
      let call: JSONValue = ["id": "x00000000", "type": "function", "function": function]
      return [
        Message(.assistant, parts: nil, fields: [toolCallsField: [call]]),
        Message(.tool, "x", fields: ["name": "x", "tool_call_id": "x00000000"]),
      ]
    }
}
