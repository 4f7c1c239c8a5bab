import Dispatch
import Tokenizers

/// Encodes documents on several threads and writes them to their shards in order of arrival.
///
/// Documents are collected up to `batchBytes` of text, encoded together, and written by the calling
/// thread. A document is never split for this: byte-pair encoding of the text near a split depends on
/// the text on its other side.
struct DocumentEncoder {
  private struct Piece: Sendable {
    let bytes: [UInt8]
    let range: Range<Int>
    let isValidation: Bool
  }

  private let tokenizer: any Tokenizer
  private let threads: Int
  private let train: TokenShardWriter
  private let validation: TokenShardWriter
  private var pieces: [Piece] = []
  private var pendingBytes = 0
  private static let batchBytes = 4 << 20

  init(
    tokenizer: any Tokenizer, threads: Int, train: TokenShardWriter, validation: TokenShardWriter
  ) {
    self.tokenizer = tokenizer
    self.threads = threads
    self.train = train
    self.validation = validation
  }

  /// Adds a document whose first `trainingBytes` bytes are for training and the rest for validation;
  /// returns true when a batch was written.
  mutating func add(_ bytes: [UInt8], trainingBytes: Int) throws(DatasetError) -> Bool {
    if trainingBytes > 0 {
      pieces.append(Piece(bytes: bytes, range: 0..<trainingBytes, isValidation: false))
    }
    if trainingBytes < bytes.count {
      pieces.append(Piece(bytes: bytes, range: trainingBytes..<bytes.count, isValidation: true))
    }
    pendingBytes += bytes.count
    guard pendingBytes >= Self.batchBytes else { return false }
    try flush()
    return true
  }

  /// Encodes and writes the collected documents.
  mutating func flush() throws(DatasetError) {
    for (piece, ids) in zip(pieces, encoded()) {
      try (piece.isValidation ? validation : train).append(ids, textBytes: piece.range.count)
    }
    pieces.removeAll(keepingCapacity: true)
    pendingBytes = 0
  }

  private func encoded() -> [[TokenID]] {
    var results = [[TokenID]](repeating: [], count: pieces.count)
    results.withUnsafeMutableBufferPointer { buffer in
      // Each iteration writes only its own elements: those congruent to it modulo `lanes`.
      nonisolated(unsafe) let output = buffer
      let lanes = min(threads, pieces.count)
      let pieces = pieces
      let tokenizer = tokenizer
      DispatchQueue.concurrentPerform(iterations: lanes) { lane in
        for i in stride(from: lane, to: pieces.count, by: lanes) {
          output[i] = pieces[i].bytes.withUnsafeBufferPointer { bytes in
            tokenizer.encode(UnsafeBufferPointer(rebasing: bytes[pieces[i].range]))
          }
        }
      }
    }
    return results
  }
}
