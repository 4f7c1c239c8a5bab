import Files
import Tokenizers

/// A sequence of ids that loaders take windows from: the ids of a mapped shard, or an array.
///
/// Every id is checked against the vocabulary as it is copied, because an id from a damaged byte would
/// index outside a model's embedding.
package struct TokenStream: Sendable {
  private enum Storage: Sendable {
    case mapped(MappedFile, offset: Int, width: Int)
    case memory([TokenID])
  }

  /// The number of ids.
  package let count: Int
  /// The size of the vocabulary: every id is below it.
  package let vocabularySize: Int
  /// The id that ends each document.
  package let endOfText: TokenID
  private let storage: Storage

  init(
    _ file: MappedFile, offset: Int, width: Int, count: Int, vocabularySize: Int, endOfText: TokenID
  ) {
    storage = .mapped(file, offset: offset, width: width)
    self.count = count
    self.vocabularySize = vocabularySize
    self.endOfText = endOfText
  }

  /// Creates a stream of `ids`, held in memory.
  package init(_ ids: [TokenID], vocabularySize: Int, endOfText: TokenID) {
    storage = .memory(ids)
    count = ids.count
    self.vocabularySize = vocabularySize
    self.endOfText = endOfText
  }

  /// Returns the ids in `range`.
  package func ids(in range: Range<Int>) throws(DatasetError) -> [TokenID] {
    var ids = [TokenID](repeating: 0, count: range.count)
    try copy(from: range.lowerBound, count: range.count, into: &ids, at: 0)
    return ids
  }

  /// Copies `count` ids from index `start` on into `ids` at `position`, without allocating.
  func copy(
    from start: Int, count: Int, into ids: inout [TokenID], at position: Int
  ) throws(DatasetError) {
    precondition(
      start >= 0 && count >= 0 && start + count <= self.count,
      "tokens \(start)..<\(start + count) of a stream of \(self.count)")
    precondition(
      position >= 0 && position + count <= ids.count,
      "ids \(position)..<\(position + count) of a buffer of \(ids.count)")
    let largest = ids.withUnsafeMutableBufferPointer { buffer -> UInt32 in
      let target = UnsafeMutableBufferPointer(rebasing: buffer[position..<position + count])
      switch storage {
      case .mapped(let file, let offset, let width):
        let source = UnsafeRawBufferPointer(
          rebasing: file.bytes[offset + start * width..<offset + (start + count) * width])
        return width == 2
          ? Self.widen(source, as: UInt16.self, into: target)
          : Self.widen(source, as: UInt32.self, into: target)
      case .memory(let all):
        return all.withUnsafeBytes { bytes in
          let source = UnsafeRawBufferPointer(rebasing: bytes[start * 4..<(start + count) * 4])
          return Self.widen(source, as: UInt32.self, into: target)
        }
      }
    }
    guard count > 0, largest >= vocabularySize else { return }
    for i in position..<position + count where UInt32(bitPattern: ids[i]) >= vocabularySize {
      throw .unknownToken(
        path: path, position: start + i - position, id: UInt32(bitPattern: ids[i]),
        vocabularySize: vocabularySize)
    }
  }

  /// Widens little-endian ids to `TokenID` and returns the largest, in one pass that the compiler
  /// vectorises.
  @inline(__always)
  private static func widen<ID: FixedWidthInteger & UnsignedInteger>(
    _ source: UnsafeRawBufferPointer, as type: ID.Type,
    into target: UnsafeMutableBufferPointer<TokenID>
  ) -> UInt32 {
    var largest: UInt32 = 0
    for i in 0..<target.count {
      let id = ID(
        littleEndian: source.loadUnaligned(
          fromByteOffset: i * MemoryLayout<ID>.size, as: ID.self))
      let word = UInt32(truncatingIfNeeded: id)
      largest = max(largest, word)
      target[i] = TokenID(bitPattern: word)
    }
    return largest
  }

  private var path: String {
    if case .mapped(let file, _, _) = storage { file.path } else { "the text in memory" }
  }
}
