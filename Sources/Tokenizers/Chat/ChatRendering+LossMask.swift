extension ChatRendering {
  /// The text as UTF-8.
  var bytes: [UInt8] { parts.flatMap { Array($0.text.utf8) } }

  /// Returns the number of bytes up to the end of the last content of `message`; nil when there is none.
  func contentEnd(of message: Int) -> Int? {
    guard let last = parts.lastIndex(where: { $0.message == message && $0.origin == .content })
    else { return nil }
    return parts[...last].reduce(0) { $0 + $1.text.utf8.count }
  }

  /// Returns the number of bytes before the first content of `message`; nil when there is none.
  func contentStart(of message: Int) -> Int? {
    parts.firstIndex { $0.message == message && $0.origin == .content }.map { start(of: $0) }
  }

  /// Returns the byte at which the last occurrence of `prompt` ends in the template's text between the
  /// content of `message` and that before it; nil when there is none.
  func end(of prompt: [UInt8], beforeContentOf message: Int) -> Int? {
    guard !prompt.isEmpty,
      let own = parts.firstIndex(where: { $0.message == message && $0.origin == .content })
    else { return nil }
    let last = parts[..<own].lastIndex { $0.origin == .content }
    let first = last.map { $0 + 1 } ?? 0
    let text = parts[first..<own].flatMap { Array($0.text.utf8) }
    let places = (0...max(0, text.count - prompt.count)).reversed()
    return places.first { text[$0...].starts(with: prompt) }.map {
      start(of: first) + $0 + prompt.count
    }
  }

  private func start(of part: Int) -> Int {
    parts[..<part].reduce(0) { $0 + $1.text.utf8.count }
  }

  /// Returns the pieces; the loss mask covers the turns of `answers`, the indices of assistant's
  /// messages in ascending order.
  ///
  /// The mask of a turn begins at its byte in `starts`, where the prompt of its generation ends, or
  /// else with its content, and ends with its end-of-turn token, or else at its byte in `ends`, or
  /// with its content.
  func pieces(
    lossOf answers: [Int], from starts: [Int: Int], to ends: [Int: Int] = [:]
  ) -> [ChatPiece] {
    let ended = Set(parts.filter { $0.origin == .endOfTurn }.map(\.message))
    var places: [Int: Range<Int>] = [:]
    var end = 0
    for part in parts {
      let start = end
      end += part.text.utf8.count
      guard let message = part.message, part.origin == .content || part.origin == .endOfTurn else {
        continue
      }
      places[message] = (places[message]?.lowerBound ?? start)..<end
    }
    let inLoss = answers.reduce(into: RangeSet<Int>()) { ranges, answer in
      guard let place = places[answer] else { return }
      let start = starts[answer] ?? place.lowerBound
      let end = ended.contains(answer) ? place.upperBound : ends[answer] ?? place.upperBound
      if start < end { ranges.insert(contentsOf: start..<end) }
    }
    return split(at: inLoss.ranges.flatMap { [$0.lowerBound, $0.upperBound] }).map { part, start in
      ChatPiece(
        part.text, part.origin, message: part.message, isInLoss: inLoss.contains(start))
    }
  }

  /// Returns the parts with the offsets of their first bytes; a part that contains one of `borders`,
  /// ascending offsets, is cut there.
  private func split(at borders: [Int]) -> [(part: Part, start: Int)] {
    var result: [(part: Part, start: Int)] = []
    var borders = borders[...]
    var start = 0
    for part in parts {
      var rest = Array(part.text.utf8)[...]
      borders = borders.drop { $0 <= start }
      while let border = borders.first, border < start + rest.count {
        var head = part
        head.text = String(decoding: rest.prefix(border - start), as: UTF8.self)
        result.append((head, start))
        rest = rest.dropFirst(border - start)
        start = border
        borders = borders.dropFirst()
      }
      var tail = part
      tail.text = String(decoding: rest, as: UTF8.self)
      result.append((tail, start))
      start += rest.count
    }
    return result
  }

  /// Returns the pieces; the loss mask covers the text between `{% generation %}` and
  /// `{% endgeneration %}` that belongs to a message whose index `isInLoss` accepts.
  func generatedPieces(isInLoss: (Int) -> Bool) -> [ChatPiece] {
    zip(parts, generationOwners()).map { part, owner in
      ChatPiece(
        part.text, part.origin, message: part.message, isInLoss: owner.map(isInLoss) ?? false)
    }
  }

  /// Returns for each generated part the index of its message: that of the last content before it in the
  /// same run whose turn has not ended, or else of the next one; for a run without content, the index
  /// after that of the last content before it.
  private func generationOwners() -> [Int?] {
    var owners: [Int?] = Array(repeating: nil, count: parts.count)
    var last = -1
    var start = 0
    while start < parts.count {
      var end = start + 1
      while end < parts.count, parts[end].isGenerated == parts[start].isGenerated { end += 1 }
      let contents = parts[start..<end].filter { $0.origin == .content }.compactMap(\.message)
      if parts[start].isGenerated {
        var rest = contents[...]
        var owner = contents.first ?? last + 1
        var hasEnded = false
        for index in start..<end {
          if parts[index].origin == .content, let message = parts[index].message {
            (owner, hasEnded) = (message, false)
            rest = rest.dropFirst()
          } else if parts[index].origin == .endOfTurn {
            hasEnded = true
          } else if hasEnded, let next = rest.first {
            (owner, hasEnded) = (next, false)
          }
          owners[index] = owner
        }
      }
      last = contents.last ?? last
      start = end
    }
    return owners
  }
}
