import Datasets
import Glibc
import Tokenizers

/// Examples as text in which learned tokens are told apart.
///
/// They are in colour on a terminal and in brackets elsewhere; special tokens stand in their written
/// form.
struct TokenView {
  private let tokenizer: any Tokenizer
  private let marks: (begin: String, end: String)

  /// Shows the ids of `tokenizer`, in colour or not.
  init(_ tokenizer: any Tokenizer, hasColour: Bool = Self.isColourful) {
    self.tokenizer = tokenizer
    marks = hasColour ? ("\u{1B}[32m", "\u{1B}[39m") : ("\u{27E6}", "\u{27E7}")
  }

  /// Whether standard output is a terminal that is to have colours (https://no-color.org).
  static var isColourful: Bool {
    func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
    return isatty(STDOUT_FILENO) == 1 && variable("NO_COLOR").isEmpty
      && !["", "dumb"].contains(variable("TERM"))
  }

  /// Prints `example` under `title` and its counts.
  func show(_ example: EncodedExample, title: String) throws {
    let learned = example.isTrained.count { $0 }
    try StandardOutput.print(
      "\n— \(title): \(example.ids.count) tokens, \(learned) of them learned")
    try StandardOutput.print(text(of: example))
  }

  /// Prints `ids`, none of which is learned, under `title` and their count.
  func show(_ ids: [TokenID], title: String) throws {
    try StandardOutput.print("\n— \(title): \(ids.count) tokens")
    let isTrained = [Bool](repeating: false, count: ids.count)
    try StandardOutput.print(text(of: EncodedExample(ids: ids, isTrained: isTrained)))
  }

  /// `example` with marks around each run of learned tokens.
  func text(of example: EncodedExample) throws -> String {
    var bytes: [UInt8] = []
    var isInside = false
    for (id, isTrained) in zip(example.ids, example.isTrained) {
      if isTrained != isInside { bytes += (isTrained ? marks.begin : marks.end).utf8 }
      isInside = isTrained
      bytes += try tokenizer.bytes(of: id)
    }
    if isInside { bytes += marks.end.utf8 }
    return String(decoding: bytes, as: UTF8.self)
  }
}
