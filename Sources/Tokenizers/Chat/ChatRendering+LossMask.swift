extension ChatRendering {
  /// Returns the pieces; the loss mask covers the assistant's turns among the messages from index
  /// `first` on.
  ///
  /// Of such a turn the mask covers the content, the end-of-turn token and the template text
  /// between them. If the template marks generated text with `{% generation %}`, it covers exactly
  /// that text.
  func pieces(
    of messages: [Message], lossFrom first: Int, marksGeneration: Bool
  ) -> [ChatPiece] {
    let owners = marksGeneration ? generationOwners() : assistantOwners(messages)
    return zip(parts, owners).map { part, owner in
      ChatPiece(
        part.text, part.origin, message: part.message,
        isInLoss: owner.map { $0 >= first } ?? false)
    }
  }

  /// Returns for each part the index of the assistant's message to which its loss belongs, or nil.
  private func assistantOwners(_ messages: [Message]) -> [Int?] {
    var owners: [Int?] = Array(repeating: nil, count: parts.count)
    var open: (message: Int, index: Int)?
    for (index, part) in parts.enumerated() {
      guard let message = part.message, messages[message].role == .assistant,
        part.origin == .content || part.origin == .endOfTurn
      else {
        // Content of another message ends the stretch that belongs to the assistant's turn.
        if part.origin == .content { open = nil }
        continue
      }
      owners[index] = message
      if let open, open.message == message {
        for between in (open.index + 1)..<index { owners[between] = message }
      }
      open = (message, index)
    }
    return owners
  }

  /// Returns for each generated part the index of the message whose content is in the same run; for
  /// a run without content, the index after that of the last content before it.
  private func generationOwners() -> [Int?] {
    var owners: [Int?] = Array(repeating: nil, count: parts.count)
    var last = -1
    var start = 0
    while start < parts.count {
      var end = start + 1
      while end < parts.count, parts[end].isGenerated == parts[start].isGenerated { end += 1 }
      let contents = parts[start..<end].filter { $0.origin == .content }.compactMap(\.message)
      if parts[start].isGenerated {
        for index in start..<end { owners[index] = contents.first ?? last + 1 }
      }
      last = contents.last ?? last
      start = end
    }
    return owners
  }
}
