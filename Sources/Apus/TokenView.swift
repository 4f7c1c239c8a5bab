import Files
import Monitoring
import Tokenizers

/// Prints examples as text, with the tokens in the loss marked.
///
/// The marks are colour on a terminal and brackets elsewhere; special tokens appear as their text.
struct TokenView {
  private let tokenizer: any Tokenizer
  private let marks: (begin: String, end: String)

  /// A view of the ids of `tokenizer`, with marks in colour or as brackets.
  init(_ tokenizer: any Tokenizer, hasColour: Bool = Self.usesColour) {
    self.tokenizer = tokenizer
    marks = hasColour ? ("\u{1B}[32m", "\u{1B}[39m") : ("\u{27E6}", "\u{27E7}")
  }

  /// True when standard output is a terminal and colours are allowed (https://no-color.org).
  static var usesColour: Bool {
    Terminal.ofStandardOutput.map(Terminal.isLive) == true && Terminal.hasColour
  }

  /// Prints `example` under a line with `title` and its numbers of tokens.
  func show(_ example: EncodedExample, title: String) throws {
    let inLoss = example.lossMask.count { $0 }
    try StandardOutput.print(
      "\n— \(title): \(example.ids.count, "token"), \(inLoss) of them in the loss")
    try StandardOutput.print(visible: text(of: example))
  }

  /// Prints `ids`, none of them in the loss, under a line with `title` and their number.
  func show(_ ids: [TokenID], title: String) throws {
    try StandardOutput.print("\n— \(title): \(ids.count, "token")")
    let lossMask = [Bool](repeating: false, count: ids.count)
    try StandardOutput.print(visible: text(of: EncodedExample(ids: ids, lossMask: lossMask)))
  }

  /// The text of `example` with marks around each run of tokens in the loss.
  func text(of example: EncodedExample) throws -> String {
    var text = ""
    var rest = Array(zip(example.ids, example.lossMask))[...]
    while let isInLoss = rest.first?.1 {
      let run = rest.prefix { $0.1 == isInLoss }
      rest = rest.dropFirst(run.count)
      let bytes = try run.map { try tokenizer.bytes(of: $0.0) }.joined()
      let part = String(decoding: Array(bytes), as: UTF8.self).visible(keepsLines: true)
      text += isInLoss ? marks.begin + part + marks.end : part
    }
    return text
  }
}
