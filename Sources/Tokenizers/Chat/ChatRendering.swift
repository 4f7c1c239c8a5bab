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

  /// Renders `messages` with `program`.
  ///
  /// Throws `TokenizerError.unrendered` when the template refuses them.
  init(
    _ messages: [Message], _ program: Template,
    specialTokens: [PublishedTemplate.NamedToken], addGenerationPrompt: Bool
  ) throws(TokenizerError) {
    func render(
      _ contents: [String]
    ) throws(TokenizerError) -> [Part] {
      let inputs = Self.inputs(messages, contents, specialTokens, addGenerationPrompt)
      do {
        return try program.render(inputs).pieces.map(Self.part)
      } catch {
        throw .unrendered(reason: error.description)
      }
    }
    parts = try render(messages.map(\.content))
    // No character marks the position of an assistant's message whose content is empty in the text.
    // A placeholder letter does, provided that the template renders everything else as before.
    let shown = Set(parts.filter { $0.origin == .content }.map(\.message))
    let unplaced = messages.indices.filter {
      messages[$0].role == .assistant && !shown.contains($0)
    }
    guard !unplaced.isEmpty else { return }
    let contents = messages.indices.map { unplaced.contains($0) ? "x" : messages[$0].content }
    guard var placed = try? render(contents) else { return }
    for index in placed.indices
    where placed[index].origin == .content && placed[index].message.map(unplaced.contains) == true {
      placed[index].text = ""
    }
    let text = placed.map(\.text).joined()
    if text.utf8.elementsEqual(parts.map(\.text).joined().utf8) { parts = placed }
  }

  // Origin numbers: 0 is the template; message i has 2i + 1 for its role and 2i + 2 for its
  // content.

  private static func part(_ piece: RenderedText.Piece) -> Part {
    let number = Int(piece.origin.number)
    let origin: ChatPiece.Origin = number == 0 ? .template : number % 2 == 1 ? .role : .content
    return Part(
      text: piece.text, origin: origin, message: number == 0 ? nil : (number - 1) / 2,
      isGenerated: piece.isGenerated)
  }

  private static func inputs(
    _ messages: [Message], _ contents: [String],
    _ specialTokens: [PublishedTemplate.NamedToken], _ addGenerationPrompt: Bool
  ) -> [(name: String, value: TemplateInput)] {
    let list = messages.indices.map { index in
      TemplateInput.dictionary([
        ("role", .text(messages[index].role.rawValue, Origin(UInt32(2 * index + 1)))),
        ("content", .text(contents[index], Origin(UInt32(2 * index + 2)))),
      ])
    }
    return specialTokens.map { ($0.name, .text($0.text, .template)) } + [
      ("messages", .list(list)), ("tools", .none), ("documents", .none),
      ("add_generation_prompt", .bool(addGenerationPrompt)),
    ]
  }

  /// Splits the end of the turn from the template text after the last content of each message: the
  /// text up to and including the first special token, if `ends` returns true for it.
  ///
  /// A turn has no end if another message's content comes before a special token.
  mutating func markTurnEnds(
    _ scanner: SpecialTokenScanner, _ ends: (_ message: Int, TokenID) -> Bool
  ) {
    var marked: [Part] = []
    var index = 0
    while index < parts.count {
      marked.append(parts[index])
      index += 1
      guard let content = marked.last, content.origin == .content, let message = content.message
      else { continue }
      // More content of the same message may follow.
      let next = parts[index...].firstIndex { $0.origin == .content } ?? parts.count
      if next < parts.count, parts[next].message == message { continue }
      let follows = parts[index..<next]
      let bytes = follows.flatMap { Array($0.text.utf8) }
      guard let (id, range) = scanner.first(in: bytes[...]), ends(message, id) else { continue }
      var length = range.upperBound
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
      index = next
    }
    parts = marked
  }
}
