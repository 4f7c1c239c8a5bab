import Tokenizers

/// A document of a shard, decoded to text.
package struct InspectedDocument: Sendable, Equatable {
  /// The document's index in the shard.
  package let index: Int
  /// The range of its ids in the token stream, its end-of-text included.
  package let tokens: Range<Int>
  /// The text, with special tokens in their written form.
  package let text: String
}

/// A training window, decoded to text.
package struct InspectedWindow: Sendable, Equatable {
  /// The window's position in the training order, from 0.
  package let sample: Int
  /// The range of its ids in the token stream: `context` inputs and one more target.
  package let tokens: Range<Int>
  /// The text; a Unicode scalar that is cut at either end shows as U+FFFD.
  package let text: String
}

extension TokenShard {
  /// Returns the first `count` documents, or all if there are fewer.
  package func inspectDocuments(
    _ count: Int, tokenizer: any Tokenizer
  ) throws(DatasetError) -> [InspectedDocument] {
    var documents: [InspectedDocument] = []
    for index in 0..<max(0, min(count, documentCount)) {
      let range = try tokenRange(ofDocument: index)
      documents.append(
        InspectedDocument(
          index: index, tokens: range, text: try tokens.text(of: range, tokenizer: tokenizer)))
    }
    return documents
  }
}

extension TrainingLoader {
  /// Returns the first `count` windows in the training order.
  package func inspectWindows(
    _ count: Int, tokenizer: any Tokenizer
  ) throws(DatasetError) -> [InspectedWindow] {
    var windows: [InspectedWindow] = []
    for sample in 0..<max(0, count) {
      let start = order.start(ofSample: sample)
      let range = start..<start + context + 1
      windows.append(
        InspectedWindow(
          sample: sample, tokens: range, text: try tokens.text(of: range, tokenizer: tokenizer)))
    }
    return windows
  }
}

extension TokenStream {
  /// Returns the text of the ids in `range`, with invalid UTF-8 repaired.
  func text(of range: Range<Int>, tokenizer: any Tokenizer) throws(DatasetError) -> String {
    var bytes: [UInt8] = []
    for id in try ids(in: range) {
      do {
        bytes += try tokenizer.bytes(of: id)
      } catch {
        throw .foreignToken(id: id, vocabularySize: tokenizer.vocabularySize)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
