/// The code on a page of Markdown: blocks of shell and YAML, and inline code.
///
/// The parser supports the Markdown and the shell that the documentation uses: fenced and indented
/// blocks, spans between single backticks, quotes, comments, pipes, lists of commands,
/// here-documents.
struct Page {
  /// A block of code.
  struct Block {
    /// The language after the fence; empty for an indented block.
    let language: String
    var text: String
    /// The number of the first line of its text on the page, from 1.
    let line: Int

    var isShell: Bool { ["sh", "bash", "shell", "console"].contains(language) }
  }

  /// Inline code or the target of a link.
  struct Span {
    let text: String
    let line: Int
  }

  private(set) var blocks: [Block] = []
  private(set) var spans: [Span] = []
  /// The targets of links and images within the repository; those of links between articles begin
  /// with `doc:`.
  private(set) var links: [Span] = []

  init(_ markdown: String) {
    var open: Block?
    var isFenced = false
    var wasEmpty = true
    let lines = markdown.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    for (index, text) in lines.enumerated() {
      let line = index + 1
      let isIndented = text.hasPrefix("    ") && (wasEmpty || open != nil)
      if text.hasPrefix("```") {
        if isFenced, let block = open { blocks.append(block) }
        isFenced.toggle()
        open = isFenced ? Block(language: text.dropFirst(3).trimmed, text: "", line: line + 1) : nil
      } else if isFenced {
        open?.text += text + "\n"
      } else if isIndented {
        if open == nil { open = Block(language: "", text: "", line: line) }
        open?.text += text.dropFirst(4) + "\n"
      } else {
        if let block = open { blocks.append(block) }
        open = nil
        spans += Page.spans(in: text).map { Span(text: $0, line: line) }
        links += Page.links(in: text).map { Span(text: $0, line: line) }
      }
      wasEmpty = text.isEmpty
    }
    if let block = open { blocks.append(block) }
  }

  private static func spans(in line: String) -> [String] {
    // Every second piece between backticks is code.
    line.split(separator: "`", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 }.map { String($0.element) }
  }

  private static func links(in line: String) -> [String] {
    let targets = line.components(separatedBy: "](").dropFirst().compactMap { rest -> String? in
      let target = rest.prefix { $0 != ")" && $0 != "#" }
      return target.isEmpty || target.contains("://") ? nil : String(target)
    }
    let articles = line.components(separatedBy: "<doc:").dropFirst().map { rest in
      "doc:" + rest.prefix { $0 != ">" }
    }
    return targets + articles
  }
}

/// The commands of a shell script.
struct ShellText {
  /// The words of a command, assignments included, and the line on which it begins.
  struct Command {
    var words: [String] = []
    var line: Int

    /// The arguments of `apus`, alone or after `mpirun` and its options; nil for other commands.
    var apus: [String]? {
      let words = words.drop { $0.contains("=") && !$0.hasPrefix("-") }
      guard let first = words.first else { return nil }
      let isLauncher = first == "mpirun" || first.hasSuffix("/mpirun")
      guard
        let place = words.firstIndex(where: { $0 == "apus" || $0.hasSuffix("/apus") }),
        isLauncher || place == words.startIndex
      else { return nil }
      return Array(words[(place + 1)...])
    }

    /// The script in `cluster/` that the command starts, or nil.
    var script: String? {
      words.first { !$0.contains("=") }.flatMap {
        $0.hasPrefix("cluster/") && $0.hasSuffix(".sh") ? $0 : nil
      }
    }
  }

  private(set) var commands: [Command] = []
  /// The texts of here-documents, with the word that ends each.
  private(set) var documents: [(name: String, text: String)] = []

  init(_ text: String) {
    var ending: String?
    var joined = ""
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      if let name = ending {
        if line == name {
          ending = nil
        } else {
          documents[documents.count - 1].text += line + "\n"
        }
        continue
      }
      if line.hasSuffix("\\") {
        joined += line.dropLast()
        continue
      }
      ending = scan(joined + line, line: index + 1)
      if let ending { documents.append((ending, "")) }
      joined = ""
    }
  }

  /// Splits a line into commands and words, and returns the end word of a here-document that it
  /// begins.
  private mutating func scan(_ line: String, line number: Int) -> String? {
    var command = Command(line: number)
    var word: String?
    var quote: Character?
    var ending: String?
    func isWord(_ text: String) -> Bool { text != "do" && text != "then" && text != "done" }
    func endWord() {
      if let text = word, !(command.words.isEmpty && !isWord(text)) {
        // Redirections are not arguments.
        if command.words.last == "<<" {
          ending = text
          command.words.removeLast()
        } else if command.words.last == ">" || command.words.last == "<" {
          command.words.removeLast()
        } else {
          command.words.append(text)
        }
      }
      word = nil
    }
    for character in line {
      if let open = quote {
        if character == open { quote = nil } else { word = (word ?? "") + String(character) }
        continue
      }
      switch character {
      case "'", "\"":
        quote = character
        word = word ?? ""
      case "#" where word == nil:
        endWord()
        if !command.words.isEmpty { commands.append(command) }
        return ending
      case " ", "\t": endWord()
      case ">", "<":
        // The number of a stream is part of its redirection.
        if let text = word, text.allSatisfy(\.isNumber) { word = nil }
        endWord()
        if character == "<" && command.words.last == "<" {
          command.words[command.words.count - 1] = "<<"
        } else if command.words.last != ">" {
          command.words.append(String(character))
        }
      case "|", ";", "&":
        if character == "&" && command.words.last == ">" { continue }
        endWord()
        if !command.words.isEmpty { commands.append(command) }
        command = Command(line: number)
      default: word = (word ?? "") + String(character)
      }
    }
    endWord()
    if !command.words.isEmpty { commands.append(command) }
    return ending
  }
}

extension StringProtocol {
  /// The text without white space at its ends.
  var trimmed: String {
    var text = drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text = text.dropLast() }
    return String(text)
  }
}
