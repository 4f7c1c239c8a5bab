import Jinja

/// A rendered conversation in pieces of known provenance.
///
/// The provenance of every character comes from the renderer, not from a text search.
struct ChatRendering {
  /// A piece with its provenance, and the template's generation mark.
  struct Part {
    var text: String
    var origin: ChatPiece.Origin
    var message: Int?
    var isGenerated: Bool
  }

  private(set) var parts: [Part]

  /// Renders `conversation` with `program`.
  ///
  /// Throws `TokenizerError.unrendered` when the template refuses it, or leaves out its tools, its tool
  /// calls or the content of a message that is neither the system's nor one with tool calls.
  init(
    _ conversation: Conversation, _ program: ChatProgram, addGenerationPrompt: Bool
  ) throws(TokenizerError) {
    let messages = conversation.messages
    func render(_ messages: [Message]) throws(TokenizerError) -> [RenderedText.Piece] {
      try program.render(
        Conversation(messages, tools: conversation.tools), addGenerationPrompt: addGenerationPrompt)
    }
    let pieces = try render(messages)
    parts = pieces.map { Self.part($0, messageCount: messages.count) }
    let shown = Set(pieces.map(\.origin))
    for (index, message) in messages.enumerated() {
      let origins = MessageOrigins(index)
      if message.callsTools, !shown.contains(origins.toolCalls) {
        throw .unrendered(
          reason: "the chat template leaves out the tool calls of message \(index + 1)")
      }
      if !message.callsTools, !message.content.allSatisfy(\.isWhitespace),
        !shown.contains(origins.content)
      {
        let readsParts =
          message.form == .text && program.partsForms[message.role] ?? .joined != .joined
        // A template may drop the system's message, as some of Mistral's do before an answer.
        if message.role == .system && !readsParts { continue }
        let author = message.role == .tool ? "the result of a tool" : "of the \(message.role)"
        throw .unrendered(
          reason: "the chat template leaves out message \(index + 1), \(author)"
            + (readsParts ? ", as it reads contents that are lists of text parts" : ""))
      }
    }
    if let tools = conversation.tools?.array, !tools.isEmpty,
      !shown.contains(MessageOrigins.tools(after: messages.count))
    {
      throw .unrendered(reason: "the chat template leaves out the tools")
    }
    // No character marks the position of an assistant's message whose content is empty in the text.
    // A placeholder letter does, provided that the template renders everything else as before.
    let visible = Set(parts.filter { $0.origin == .content }.map(\.message))
    let unplaced = messages.indices.filter {
      messages[$0].role == .assistant && !visible.contains($0)
    }
    guard !unplaced.isEmpty else { return }
    let replaced = messages.indices.map { index in
      unplaced.contains(index) ? messages[index].withPlaceholder : messages[index]
    }
    guard
      var placed = try? render(replaced).map({ Self.part($0, messageCount: messages.count) })
    else { return }
    for index in placed.indices
    where placed[index].origin == .content && placed[index].message.map(unplaced.contains) == true {
      placed[index].text = ""
    }
    let text = placed.map(\.text).joined()
    if text.utf8.elementsEqual(parts.map(\.text).joined().utf8) { parts = placed }
  }

  private static func part(_ piece: RenderedText.Piece, messageCount: Int) -> Part {
    let (origin, message) = MessageOrigins.meaning(of: piece.origin, messageCount: messageCount)
    return Part(
      text: piece.text, origin: origin, message: message, isGenerated: piece.isGenerated)
  }

  /// Releases the contents of the messages `ends` from the byte on at which a message's turn ends: a
  /// template may write the name of a called tool once more, with the tool's result.
  mutating func release(after ends: [Int: Int]) {
    var start = 0
    for index in parts.indices {
      if let message = parts[index].message, let end = ends[message], start >= end {
        parts[index].message = nil
      }
      start += parts[index].text.utf8.count
    }
  }

  /// The special tokens that the template writes after the last content of a message and before the
  /// next content.
  struct Closing {
    let message: Int
    /// The special tokens, each with the byte of the text at which it ends.
    let specials: [(id: TokenID, end: Int)]
    /// True when another message's content follows.
    let isFollowed: Bool
  }

  /// Splits the end of the turn from the template text after the last content of each message: the
  /// text up to and including the special token that `end` chooses, by its index.
  ///
  /// A turn has no end if `end` returns nil.
  mutating func markTurnEnds(_ scanner: SpecialTokenScanner, _ end: (Closing) -> Int?) {
    var marked: [Part] = []
    var index = 0
    var offset = 0
    while index < parts.count {
      marked.append(parts[index])
      offset += parts[index].text.utf8.count
      index += 1
      guard let content = marked.last, content.origin == .content, let message = content.message
      else { continue }
      // More content of the same message may follow.
      let next = parts[index...].firstIndex { $0.origin == .content } ?? parts.count
      if next < parts.count, parts[next].message == message { continue }
      let follows = parts[index..<next]
      let bytes = follows.flatMap { Array($0.text.utf8) }
      let specials = scanner.all(in: bytes)
      let closing = Closing(
        message: message, specials: specials.map { ($0.id, offset + $0.range.upperBound) },
        isFollowed: next < parts.count)
      guard let last = end(closing) else { continue }
      var length = specials[last].range.upperBound
      for part in follows {
        let utf8 = Array(part.text.utf8)
        let count = min(length, utf8.count)
        for (piece, isEnd) in [(utf8[..<count], true), (utf8[count...], false)]
        where !piece.isEmpty {
          var new = part
          new.text = String(decoding: piece, as: UTF8.self)
          if isEnd { (new.origin, new.message) = (.endOfTurn, message) }
          marked.append(new)
        }
        length -= count
      }
      offset += bytes.count
      index = next
    }
    parts = marked
  }
}

extension Message {
  /// The message with a letter as its content, in the same form.
  fileprivate var withPlaceholder: Message {
    if case .parts = form { return Message(role, parts: ["x"], fields: fields) }
    return Message(role, "x", fields: fields)
  }
}
