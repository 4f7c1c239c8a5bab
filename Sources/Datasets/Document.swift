/// A text of the corpus, which one end-of-text token ends.
package struct Document: Sendable, Hashable {
  /// The text in UTF-8.
  package let bytes: [UInt8]
  /// The path of its file, or the name of what generated it.
  package let source: String
  /// The document's index in its stream, from 0.
  package let index: Int
}

extension Document {
  package init(text: String, source: String, index: Int) {
    self.init(bytes: Array(text.utf8), source: source, index: index)
  }

  package var text: String { String(decoding: bytes, as: UTF8.self) }
}
