/// Learns a tokenizer from documents.
///
/// The documents are only counted, by `count`, in any order and by any number of threads or processes,
/// each with counts of its own; what is learned from the sum of all counts depends on nothing else.
/// Memory grows with the number of distinct words, not with the corpus.
///
///     var counts = WordCounts()
///     for document in documents { trainer.count(document, into: &counts) }
///     let tokenizer = try trainer.train(on: counts, threads: 8)
public protocol TokenizerTrainer: Sendable {
  /// Adds the words of `document` to `counts`.
  func count(_ document: UnsafeBufferPointer<UInt8>, into counts: inout WordCounts)

  /// The tokenizer of the words in `counts`; the same bits for any number of threads.
  func train(on counts: WordCounts, threads: Int) throws(TokenizerError) -> any Tokenizer
}

extension TokenizerTrainer {
  /// Adds the words of the UTF-8 form of `document` to `counts`.
  public func count(_ document: String, into counts: inout WordCounts) {
    var document = document
    document.withUTF8 { count($0, into: &counts) }
  }
}

/// The algorithms that a tokenizer can be learned by.
public enum TokenizerKind: String, CaseIterable, Sendable {
  /// Byte-pair encoding over bytes, as GPT-2's.
  case bpe
  /// WordPiece, as BERT's.
  case wordpiece
  /// Unigram, as T5's.
  case unigram
}
