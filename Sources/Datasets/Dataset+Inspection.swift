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
