import Jinja

/// One conversation as its template writes it, in pieces whose provenance is known.
///
/// Nothing here looks for content in a text: the renderer says of every character which input it
/// comes from.
struct ChatRendering {
  /// A piece with what the template says of it.
  struct Part {
    var text: String
    var origin: ChatPiece.Origin
    var message: Int?
    var isGenerated: Bool
  }

  private(set) var parts: [Part]

  /// `messages` as `program` writes them.
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
    // Of an answer that says nothing no character tells where it would stand. A letter in its place
    // does, where the template writes all else as without it.
    let shown = Set(parts.filter { $0.origin == .content }.map(\.message))
    let silent = messages.indices.filter {
      messages[$0].role == .assistant && !shown.contains($0)
    }
    guard !silent.isEmpty else { return }
    let contents = messages.indices.map { silent.contains($0) ? "x" : messages[$0].content }
    guard var placed = try? render(contents) else { return }
    for index in placed.indices
    where placed[index].origin == .content && placed[index].message.map(silent.contains) == true {
      placed[index].text = ""
    }
    let text = placed.map(\.text).joined()
    if text.utf8.elementsEqual(parts.map(\.text).joined().utf8) { parts = placed }
  }

  // Origins are numbered: message i has 2i + 1 for its role and 2i + 2 for its content.

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

  /// Splits the end of a turn from what the template writes behind the last content of each message:
  /// all up to the first special token, where `ends` says that this one ends a turn of the message.
  ///
  /// A turn has no end where another message's content comes before a special token.
  mutating func markEnds(
    _ scanner: SpecialTokenScanner, _ ends: (_ message: Int, TokenID) -> Bool
  ) {
    var index = 0
    while index < parts.count {
      defer { index += 1 }
      guard parts[index].origin == .content, let message = parts[index].message else { continue }
      // The same message's content may go on.
      let next = parts[(index + 1)...].firstIndex { $0.origin == .content } ?? parts.count
      if next < parts.count, parts[next].message == message { continue }
      let follows = parts[(index + 1)..<next]
      let bytes = follows.flatMap { Array($0.text.utf8) }
      guard let (id, range) = scanner.first(in: bytes[...]), ends(message, id) else { continue }
      var split: [Part] = []
      var length = range.upperBound
      for part in follows {
        let utf8 = Array(part.text.utf8)
        let count = min(length, utf8.count)
        for (piece, isEnd) in [(utf8[..<count], true), (utf8[count...], false)]
        where !piece.isEmpty {
          var new = part
          new.text = String(decoding: piece, as: UTF8.self)
          if isEnd { (new.origin, new.message) = (.endOfTurn, message) }
          split.append(new)
        }
        length -= count
      }
      parts.replaceSubrange((index + 1)..<next, with: split)
    }
  }
}
