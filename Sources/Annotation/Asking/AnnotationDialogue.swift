import Tokenizers

/// An annotation session on a terminal, or on a pipe with one answer per line.
///
///     l left  r right  t tie  b both bad  s skip  u undo  q quit; a note may follow
package struct AnnotationDialogue {
  private let columns: Int
  private let showsPrompt: Bool
  private let nextLine: () -> String?
  private let write: (String) throws -> Void

  /// - Parameters:
  ///   - columns: The width of the terminal, in columns.
  ///   - showsPrompt: True to print `> ` before each input, for a terminal; on a pipe no typed line
  ///     feed would end the line of the prompt.
  ///   - nextLine: Returns the next line of input without its line feed; nil after the last.
  ///   - write: Prints text.
  package init(
    columns: Int, showsPrompt: Bool, nextLine: @escaping () -> String?,
    write: @escaping (String) throws -> Void
  ) {
    self.columns = min(100, max(20, columns))
    self.showsPrompt = showsPrompt
    self.nextLine = nextLine
    self.write = write
  }

  private static let keys: [(key: Character, answer: AnnotationSession.Answer, words: String)] = [
    ("l", .left, "left"), ("r", .right, "right"), ("t", .tie, "tie"),
    ("b", .bothBad, "both bad"), ("s", .skip, "skip"),
  ]
  private static let legend =
    keys.map { "\($0.key) \($0.words)" }.joined(separator: "  ")
    + "  u undo  q quit; a note may follow"

  /// Asks for judgements until the input ends or the annotator quits.
  ///
  /// When all pairs are judged, the last answer can still be undone.
  package func run(_ session: inout AnnotationSession) throws {
    while true {
      let question = try session.question()
      if let question {
        try show(question)
      } else {
        try say("\n— All pairs are judged.\n\nu undo  q quit")
      }
      guard try readReply(to: question, &session) else { return }
    }
  }

  private func show(_ question: AnnotationSession.Question) throws {
    var lines = ["", "— Pair \(question.judged + 1) of \(question.pairs)", ""]
    func add(_ heading: String, _ text: String) {
      lines.append(heading)
      lines += WrappedText.lines(of: text, columns: columns, indentation: 2)
      lines.append("")
    }
    for message in question.prompt {
      let isAlone = question.prompt.count == 1 && message.role == .user
      add(isAlone ? "Prompt" : "Prompt, \(message.role.rawValue)", message.content)
    }
    for (side, answer) in [("Left", question.left), ("Right", question.right)] {
      for message in answer {
        add(answer.count == 1 ? side : "\(side), \(message.role.rawValue)", message.content)
      }
    }
    lines += WrappedText.lines(of: Self.legend, columns: columns)
    try write(lines.joined(separator: "\n") + "\n")
  }

  /// Reads lines until one answers `question` or undoes an answer; returns false when the input ends or
  /// the annotator quits.
  private func readReply(
    to question: AnnotationSession.Question?, _ session: inout AnnotationSession
  ) throws -> Bool {
    while true {
      if showsPrompt { try write("> ") }
      guard let line = nextLine() else {
        if showsPrompt { try write("\n") }
        return false
      }
      let words = line.split { $0.isWhitespace }
      guard let key = words.first?.lowercased() else { continue }
      if key == "q" { return false }
      if key == "u" {
        guard try session.undo() else {
          try say("There is no judgement to take back.")
          continue
        }
        try say("Taken back.")
        return true
      }
      guard let choice = Self.keys.first(where: { key == String($0.key) }) else {
        try say("\"\(key.prefix(20))\" is not one of the keys.")
        continue
      }
      guard let question else {
        try say("All pairs are judged: this answer is not kept.")
        continue
      }
      let note = words.count > 1 ? words.dropFirst().joined(separator: " ") : nil
      let isKept = try session.give(choice.answer, to: question, note: note)
      try say(
        isKept
          ? "Kept: \(choice.words)\(note == nil ? "" : ", with a note")."
          : "This pair was judged under the same name elsewhere; that judgement stays.")
      return true
    }
  }

  private func say(_ text: String) throws {
    try write(WrappedText.lines(of: text, columns: columns).joined(separator: "\n") + "\n")
  }
}
