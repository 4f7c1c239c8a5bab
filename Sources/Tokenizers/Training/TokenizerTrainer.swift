/// Learns a tokenizer from documents.
///
/// `count` only counts the words of documents, in any order and on any number of threads or
/// processes, each with counts of its own. The tokenizer depends on the sum of all counts alone.
/// Memory grows with the number of distinct words, not with the corpus.
///
///     var counts = WordCounts()
///     for document in documents { trainer.count(document, into: &counts) }
///     let tokenizer = try trainer.train(on: counts, threads: 8)
package protocol TokenizerTrainer: Sendable {
  /// Adds the words of `document` to `counts`.
  func count(_ document: UnsafeBufferPointer<UInt8>, into counts: inout WordCounts)

  /// Learns a tokenizer from the words in `counts`, bit-identical for any number of threads.
  func train(on counts: WordCounts, threads: Int) throws(TokenizerError) -> any Tokenizer
}

extension TokenizerTrainer {
  /// Adds the words of the UTF-8 form of `document` to `counts`.
  package func count(_ document: String, into counts: inout WordCounts) {
    var document = document
    document.withUTF8 { count($0, into: &counts) }
  }
}

/// The training algorithms of tokenizers.
package enum TokenizerKind: String, CaseIterable, Sendable {
  /// Byte-pair encoding over bytes, as GPT-2's.
  case bpe
  /// WordPiece, as BERT's.
  case wordpiece
  /// Unigram, as T5's.
  case unigram
}
