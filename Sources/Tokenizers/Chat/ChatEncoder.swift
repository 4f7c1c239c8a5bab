/// A chat template for one tokenizer: conversations to texts, and to ids of known origin.
///
/// - The end of a turn is always one special token, so that generation stops at one id: the
///   template's marker (`<|im_end|>`, `<|eot_id|>`) where the tokenizer has it, otherwise, and with
///   `plain`, the tokenizer's end of text. The template's other markers are encoded as special
///   tokens where the tokenizer has them, as plain text otherwise.
/// - Every piece is encoded by itself: no token reaches across the border of content and template,
///   nor of what is learned and what is not, and the prompt of a generation ends exactly where the
///   answer's content begins in training.
/// - Content is plain text, whatever it says: a marker written by a user is no special token.
public struct ChatEncoder: Sendable {
  /// The template.
  public let template: ChatTemplate
  /// The tokenizer.
  public let tokenizer: any Tokenizer
  /// The id that ends every turn, at which generation stops.
  public let endOfTurn: TokenID
  private let endOfTurnText: String
  private let markers: [(text: String, id: TokenID)]

  /// `template` for `tokenizer`.
  public init(_ template: ChatTemplate, tokenizer: any Tokenizer) {
    self.template = template
    self.tokenizer = tokenizer
    markers = template.markers.compactMap { text in
      tokenizer.specialToken(text).map { (text, $0) }
    }
    let marker = markers.first { $0.text == template.endMarker }
    endOfTurn = marker?.id ?? tokenizer.endOfText
    endOfTurnText =
      marker?.text ?? (try? tokenizer.decode([tokenizer.endOfText])).map {
        String(decoding: $0, as: UTF8.self)
      } ?? ""
  }

  /// The text of `messages` in pieces, in order; with `addGenerationPrompt` the opening of an answer
  /// behind it.
  public func render(_ messages: [Message], addGenerationPrompt: Bool = false) -> [ChatPiece] {
    var pieces = numberedPieces(of: messages).map(\.piece)
    if pieces.isEmpty, !template.beginning.isEmpty {
      pieces.append(ChatPiece(template.beginning, .assistant, .template))
    }
    let opening = template.opening(of: .assistant)
    if addGenerationPrompt, !opening.isEmpty {
      pieces.append(ChatPiece(opening, .assistant, .template))
    }
    return pieces
  }

  /// `conversation`, learned where the assistant speaks: its content and the end of its turn.
  ///
  /// The example ends with its last end of turn, where a generated answer ends too; what the template
  /// writes behind that belongs to the turn after it.
  public func encode(_ conversation: Conversation) -> EncodedExample {
    encode(conversation.messages, learnedFrom: 0)
  }

  /// `answer` to `prompt`, learned where the assistant speaks in the answer; otherwise the same.
  public func encode(_ answer: [Message], to prompt: [Message]) -> EncodedExample {
    encode(prompt + answer, learnedFrom: prompt.count)
  }

  /// What a model is given to answer `prompt`: its ids up to where the answer's content begins.
  public func encode(prompt: [Message]) -> [TokenID] {
    render(prompt, addGenerationPrompt: true).flatMap(ids)
  }

  private func encode(_ messages: [Message], learnedFrom first: Int) -> EncodedExample {
    var ids: [TokenID] = []
    var isTrained: [Bool] = []
    let pieces = numberedPieces(of: messages)
    let end = pieces.lastIndex { $0.piece.origin == .endOfTurn }.map { $0 + 1 } ?? pieces.count
    for (piece, message) in pieces[..<end] {
      let new = self.ids(of: piece)
      let isLearned = message >= first && piece.role == .assistant && piece.origin != .template
      ids += new
      isTrained += repeatElement(isLearned, count: new.count)
    }
    return EncodedExample(ids: ids, isTrained: isTrained)
  }

  /// The pieces that are not empty, each with the number of its message.
  private func numberedPieces(of messages: [Message]) -> [(piece: ChatPiece, message: Int)] {
    var pieces: [(piece: ChatPiece, message: Int)] = []
    for (index, message) in messages.enumerated() {
      let role = message.role
      func add(_ text: String, _ origin: ChatPiece.Origin) {
        if !text.isEmpty { pieces.append((ChatPiece(text, role, origin), index)) }
      }
      if index == 0 { add(template.beginning, .template) }
      add(template.opening(of: role), .template)
      add(message.content, .content)
      if template.endsTurn(of: role) { add(endOfTurnText, .endOfTurn) }
      add(template.closing(of: role), .template)
    }
    return pieces
  }

  private func ids(of piece: ChatPiece) -> [TokenID] {
    switch piece.origin {
    case .content: tokenizer.encode(piece.text)
    case .endOfTurn: [endOfTurn]
    case .template: ids(ofTemplate: piece.text)
    }
  }

  /// The ids of a text of the template, its markers as special tokens.
  private func ids(ofTemplate text: String) -> [TokenID] {
    var ids: [TokenID] = []
    var plain = ""
    var rest = text[...]
    while !rest.isEmpty {
      if let marker = markers.first(where: { rest.hasPrefix($0.text) }) {
        ids += tokenizer.encode(plain)
        ids.append(marker.id)
        plain = ""
        rest = rest.dropFirst(marker.text.count)
      } else {
        plain.append(rest.removeFirst())
      }
    }
    return ids + tokenizer.encode(plain)
  }
}
