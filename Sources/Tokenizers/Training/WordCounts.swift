import Dispatch

/// The distinct words of a corpus with their counts.
///
/// Counts are integers: the counts of the parts of a corpus, added in any order, equal those of the
/// whole.
package struct WordCounts: Sendable {
  private(set) var words = ByteStringTable()
  private(set) var counts: [Int] = []

  package init() {}

  /// Adds `count` occurrences of `word`.
  mutating func add(_ word: UnsafeBufferPointer<UInt8>, _ count: Int = 1) {
    let (index, inserted) = words.insert(word)
    if inserted { counts.append(count) } else { counts[index] += count }
  }

  /// Adds the counts of `other`.
  package mutating func add(_ other: WordCounts) {
    for index in 0..<other.counts.count {
      other.words[index].withUnsafeBufferPointer { add($0, other.counts[index]) }
    }
  }

  /// Adds the words of `documents`, split by `trainer`, on `threads` threads.
  package mutating func add(
    _ documents: [[UInt8]], cutBy trainer: any TokenizerTrainer, threads: Int
  ) {
    let lanes = max(1, min(threads, documents.count))
    var parts = [WordCounts](repeating: WordCounts(), count: lanes)
    parts.withUnsafeMutableBufferPointer { parts in
      // Each iteration writes only the part of its own number.
      nonisolated(unsafe) let parts = parts
      DispatchQueue.concurrentPerform(iterations: lanes) { lane in
        for index in stride(from: lane, to: documents.count, by: lanes) {
          documents[index].withUnsafeBufferPointer { trainer.count($0, into: &parts[lane]) }
        }
      }
    }
    for part in parts { add(part) }
  }

  /// The counts as bytes for another process: for each word its length, its bytes and its count;
  /// numbers are UInt64, little-endian.
  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    func append(_ number: Int) {
      withUnsafeBytes(of: UInt64(number).littleEndian) { bytes.append(contentsOf: $0) }
    }
    for index in counts.indices {
      append(words[index].count)
      bytes += words[index]
      append(counts[index])
    }
    return bytes
  }

  /// Reads the counts from `bytes`, which must come from the property of that name.
  package init(bytes: [UInt8]) {
    bytes.withUnsafeBytes { raw in
      var place = 0
      func number() -> Int {
        defer { place += 8 }
        return Int(
          UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: place, as: UInt64.self)))
      }
      while place < raw.count {
        let length = number()
        let word = UnsafeRawBufferPointer(rebasing: raw[place..<place + length])
        place += length
        let count = number()
        word.withMemoryRebound(to: UInt8.self) { add($0, count) }
      }
    }
  }

  /// The words in ascending order of their bytes, independent of the order of the documents.
  var sorted: [(word: [UInt8], count: Int)] {
    (0..<counts.count).map { (word: Array(words[$0]), count: counts[$0]) }
      .sorted { $0.word.lexicographicallyPrecedes($1.word) }
  }
}

/// The words into which a normalizer and a pre-tokenizer split documents.
struct WordCounter: Sendable {
  let normalizer: (any Normalizer)?
  let preTokenizer: (any PreTokenizer)?

  /// Adds the words of `document` to `counts`.
  func count(_ document: UnsafeBufferPointer<UInt8>, into counts: inout WordCounts) {
    forEachWord(of: document) { counts.add($0) }
  }

  /// Calls `body` with the words of `document`.
  func forEachWord(
    of document: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) -> Void
  ) {
    let bytes = Array(String(decoding: document, as: UTF8.self).utf8)
    var text = NormalizedText(bytes, offset: 0, tracked: false)
    normalizer?.normalize(&text)
    var words = PreTokenizedText(text, isFirst: true)
    preTokenizer?.split(&words)
    words.text.bytes.withUnsafeBufferPointer { bytes in
      for word in words.words { body(UnsafeBufferPointer(rebasing: bytes[word])) }
    }
  }
}
