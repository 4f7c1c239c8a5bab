import Files
import Tokenizers

/// `apus tokenizer encode --json-lines`: reads one JSON string per line and writes one JSON object
/// per line, for comparisons with other tokenizers.
///
///     in    "Hello world"
///     out   {"ids": [101, 7592, 2088, 102], "offsets": [[0, 0], [0, 5], [6, 11], [0, 0]],
///            "text": "hello world"}
///
/// Special tokens in the text are recognised, and those of the tokenizer's post-processor added;
/// offsets count UTF-8 bytes; the text is decoded from the ids without special tokens.
enum TokenLines {
  /// Encodes every line of standard input.
  static func encode(with tokenizer: any Tokenizer) throws {
    var number = 0
    while let line = readLine(strippingNewline: true) {
      number += 1
      guard let text = (try? JSONReader.read(Array(line.utf8)))?.string else {
        throw Failure.Refusal(
          "line \(number) of standard input is not a JSON string: write one in quotes per line."
        )
      }
      try StandardOutput.write((try encoded(text, with: tokenizer) + "\n").utf8)
    }
  }

  private static func encoded(_ text: String, with tokenizer: any Tokenizer) throws -> String {
    let pipeline = tokenizer as? TokenizationPipeline
    let whole = RangeSet(0..<text.utf8.count)
    let encoding =
      pipeline?.encoding(of: text) ?? tokenizer.encoding(of: text, specialTokensIn: whole)
    let decoded =
      try pipeline?.text(of: encoding.ids, skipsSpecial: true) ?? tokenizer.decode(encoding.ids)
    let ids = encoding.ids.map(String.init).joined(separator: ", ")
    let offsets = encoding.offsets.map { "[\($0.lowerBound), \($0.upperBound)]" }
    let json = JSONValue.string(String(decoding: decoded, as: UTF8.self)).compact
    return "{\"ids\": [\(ids)], \"offsets\": [\(offsets.joined(separator: ", "))], "
      + "\"text\": \(String(decoding: json, as: UTF8.self))}"
  }
}
