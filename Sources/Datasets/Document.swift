/// A text of the corpus: what one end-of-text token ends.
public struct Document: Sendable, Hashable {
  /// The text in UTF-8.
  public let bytes: [UInt8]
  /// The path of its file, or the name of what generated it.
  public let source: String
  /// Its number in the stream that it came from, from 0.
  public let index: Int

  /// The document `bytes`.
  public init(bytes: [UInt8], source: String, index: Int) {
    self.bytes = bytes
    self.source = source
    self.index = index
  }

  /// The document `text`.
  public init(text: String, source: String, index: Int) {
    self.init(bytes: Array(text.utf8), source: source, index: index)
  }

  /// The text.
  public var text: String { String(decoding: bytes, as: UTF8.self) }
}
