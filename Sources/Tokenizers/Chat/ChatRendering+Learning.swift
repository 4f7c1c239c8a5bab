extension ChatRendering {
  /// The pieces, those learned where the assistant speaks in a message from `first` on.
  ///
  /// Learned are the characters of its content and the end of its turn, with what the template writes
  /// between them; or, where the template says itself what a model generates, exactly that.
  func pieces(
    of messages: [Message], learnedFrom first: Int, marksGeneration: Bool
  ) -> [ChatPiece] {
    let owners = marksGeneration ? generationOwners() : answerOwners(messages)
    return zip(parts, owners).map { part, owner in
      ChatPiece(
        part.text, part.origin, message: part.message,
        isLearned: owner.map { $0 >= first } ?? false)
    }
  }

  /// For each part the message whose answer it is part of.
  private func answerOwners(_ messages: [Message]) -> [Int?] {
    var owners: [Int?] = Array(repeating: nil, count: parts.count)
    var open: (message: Int, index: Int)?
    for (index, part) in parts.enumerated() {
      guard let message = part.message, messages[message].role == .assistant,
        part.origin == .content || part.origin == .endOfTurn
      else {
        // Another's content ends what the template may write between the characters of an answer.
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

  /// For each part that is generated the message whose content stands in the same run; without
  /// content, the one behind the last content before it.
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
