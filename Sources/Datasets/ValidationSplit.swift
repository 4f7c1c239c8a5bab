import Files
import Glibc
import RandomNumbers

/// The part of each document that is held out for validation: a pure function of its content.
///
/// So a document stays in training or validation when others are added, removed, renamed or reordered.
///
/// - A document of at least `tailThreshold` bytes has its tail held out: `fraction` of its bytes, from
///   the next line start on, or from the next Unicode scalar if the line start would lose over half of
///   the tail. This splits a book, or a corpus in one file, as is usual (nanoGPT: the last tenth).
/// - A shorter document is held out whole if u = Philox(key, FNV-1a 64 of its bytes) / 2³² <
///   `fraction`, with a fixed key. FNV-1a alone is weak in its high bits for texts of a few bytes;
///   Philox mixes it.
package struct ValidationSplit: Sendable, Hashable {
  /// The size in bytes from which a document is split instead of assigned whole.
  package static let tailThreshold = 4096

  /// The fraction of the text that is held out, in [0, 1).
  package let fraction: Double

  /// The key "split v1", fixed so that a text is on the same side of the split in every run.
  private static let philox = Philox(key: SIMD2(0x7370_6C69, 0x7420_7631))

  /// Creates a split that holds out `fraction` of the text; throws `DatasetError.invalidFraction`
  /// outside [0, 1).
  package init(fraction: Double) throws(DatasetError) {
    guard fraction >= 0, fraction < 1 else { throw .invalidFraction(fraction) }
    self.fraction = fraction
  }

  /// Returns the number of leading bytes of `document` that are for training; the rest is for
  /// validation.
  package func trainingByteCount(of document: [UInt8]) -> Int {
    document.withUnsafeBufferPointer { bytes in
      if bytes.count >= Self.tailThreshold { return tailStart(of: bytes) }
      return holdsOut(bytes) ? 0 : bytes.count
    }
  }

  /// Returns true when the item that `bytes` identify is held out whole, whatever its length.
  package func holdsOut(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBufferPointer { holdsOut($0) }
  }

  private func holdsOut(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    Double(Self.draw(bytes)) < fraction * 0x1p32
  }

  /// Returns u · 2³² of the item that `bytes` identify.
  private static func draw(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
    var hash = FNV1a()
    hash.combine(bytes)
    return philox(
      SIMD4(
        UInt32(truncatingIfNeeded: hash.value), UInt32(truncatingIfNeeded: hash.value >> 32), 0, 0)
    ).x
  }

  /// Returns for each key true when its item is held out.
  ///
  /// If the fraction puts all items on one side, the one with the smallest (or greatest) draw moves
  /// to the other; so both sides have an item when two keys differ and the fraction is above 0.
  package func heldOut(_ keys: [[UInt8]]) -> [Bool] {
    var sides = keys.map(holdsOut)
    guard fraction > 0, let first = sides.first, sides.allSatisfy({ $0 == first }) else {
      return sides
    }
    let draws = keys.map { $0.withUnsafeBufferPointer(Self.draw) }
    let moved = first ? draws.max() : draws.min()
    if draws.allSatisfy({ $0 == moved }) { return sides }
    for index in sides.indices where draws[index] == moved { sides[index] = !first }
    return sides
  }

  private func tailStart(of bytes: UnsafeBufferPointer<UInt8>) -> Int {
    let tail = Int((Double(bytes.count) * fraction).rounded())
    var start = bytes.count - tail
    guard tail > 0, start > 0, let base = bytes.baseAddress else { return start }
    // From `start − 1`, so that a tail that already begins a line is kept whole.
    if let hit = memchr(base + (start - 1), 0x0A, tail + 1) {
      let line = UnsafeRawPointer(hit) - UnsafeRawPointer(base) + 1
      if bytes.count - line >= (tail + 1) / 2 { return line }
    }
    while start < bytes.count, bytes[start] & 0xC0 == 0x80 { start += 1 }
    return start
  }
}
