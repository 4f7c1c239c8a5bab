/// The words of a command, separated as a shell separates them.
///
/// White space separates words, except in single or double quotes. A backslash makes the next
/// character literal, except in single quotes. Nothing is expanded.
enum CommandWords {
  /// Returns the words of `text`; nil when a quote or a last backslash has no end.
  static func split(_ text: String) -> [String]? {
    var words: [String] = []
    // nil between words; an empty word is written as "".
    var word: String?
    var quote: Character?
    var isEscaped = false
    for character in text {
      if isEscaped {
        // In double quotes, a backslash before another character than these is itself.
        if quote == "\"", !"\"\\$`".contains(character) { word?.append("\\") }
        word?.append(character)
        isEscaped = false
      } else if character == "\\", quote != "'" {
        word = word ?? ""
        isEscaped = true
      } else if let open = quote {
        if character == open { quote = nil } else { word?.append(character) }
      } else if character == "\"" || character == "'" {
        word = word ?? ""
        quote = character
      } else if character.isWhitespace {
        if let end = word { words.append(end) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    guard quote == nil, !isEscaped else { return nil }
    return words + (word.map { [$0] } ?? [])
  }

  /// Returns a text that ``split(_:)`` separates into `words`.
  static func joined(_ words: [String]) -> String {
    words.map { word in
      let isPlain = !word.isEmpty && !word.contains { $0.isWhitespace || "\"'\\".contains($0) }
      return isPlain ? word : "'" + word.replacing("'", with: #"'\''"#) + "'"
    }.joined(separator: " ")
  }
}
