import Tokenizers

/// A document of a shard, back in text.
public struct InspectedDocument: Sendable, Equatable {
  /// Its number in the shard.
  public let index: Int
  /// Where its ids are in the token stream, its end-of-text included.
  public let tokens: Range<Int>
  /// Its text; special tokens in their written form.
  public let text: String
}

/// A training window, back in text.
public struct InspectedWindow: Sendable, Equatable {
  /// Its number in the order of training, from 0.
  public let sample: Int
  /// Where its ids are in the token stream: `context` inputs and one more target.
  public let tokens: Range<Int>
  /// Its text; a scalar cut at either end shows as U+FFFD.
  public let text: String
}

extension TokenShard {
  /// The first `count` documents, or as many as there are.
  public func inspectDocuments(
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
  /// The first `count` windows in the order of training.
  public func inspectWindows(
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
  /// The text of the ids in `range`, invalid UTF-8 repaired.
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
