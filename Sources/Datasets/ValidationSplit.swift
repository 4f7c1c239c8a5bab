import Glibc
import RandomNumbers

/// Which part of a document is held out for validation: a pure function of its content.
///
/// So a document keeps its side when others are added, removed, renamed or reordered.
///
/// - A document of at least `tailThreshold` bytes gives its tail: `fraction` of its bytes, from the
///   next line on; where that line would lose over half of the tail, from the next Unicode scalar.
///   A book or a whole corpus in one file is so cut as the field does (nanoGPT: the last tenth).
/// - A shorter one is drawn whole: u = Philox(key, FNV-1a 64 of its bytes) / 2³² < `fraction`, with
///   a fixed key. FNV-1a alone is weak in its high bits for texts of a few bytes; Philox mixes it.
public struct ValidationSplit: Sendable, Hashable {
  /// From how many bytes on a document is cut and not drawn.
  public static let tailThreshold = 4096

  /// The share of the text that is held out, from 0 to below 1.
  public let fraction: Double

  /// "split v1": fixed, so that the side of a text is the same in every run.
  private static let philox = Philox(key: SIMD2(0x7370_6C69, 0x7420_7631))

  /// Holds out `fraction` of the text; throws `DatasetError.invalidFraction` outside [0, 1).
  public init(fraction: Double) throws(DatasetError) {
    guard fraction >= 0, fraction < 1 else { throw .invalidFraction(fraction) }
    self.fraction = fraction
  }

  /// How many leading bytes of `document` are for training; the rest is for validation.
  public func trainingByteCount(of document: [UInt8]) -> Int {
    document.withUnsafeBufferPointer { bytes in
      if bytes.count >= Self.tailThreshold { return tailStart(of: bytes) }
      return holdsOut(bytes) ? 0 : bytes.count
    }
  }

  /// Whether what `bytes` stand for is drawn whole for validation, however long it is.
  public func holdsOut(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBufferPointer { holdsOut($0) }
  }

  private func holdsOut(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    var hash = FNV1a()
    hash.combine(bytes)
    let words = Self.philox(
      SIMD4(
        UInt32(truncatingIfNeeded: hash.value), UInt32(truncatingIfNeeded: hash.value >> 32), 0, 0))
    return Double(words.x) < fraction * 0x1p32
  }

  private func tailStart(of bytes: UnsafeBufferPointer<UInt8>) -> Int {
    let tail = Int((Double(bytes.count) * fraction).rounded())
    var start = bytes.count - tail
    guard tail > 0, start > 0, let base = bytes.baseAddress else { return start }
    // From `start − 1`: a tail that already begins a line is kept whole.
    if let hit = memchr(base + (start - 1), 0x0A, tail + 1) {
      let line = UnsafeRawPointer(hit) - UnsafeRawPointer(base) + 1
      if bytes.count - line >= (tail + 1) / 2 { return line }
    }
    while start < bytes.count, bytes[start] & 0xC0 == 0x80 { start += 1 }
    return start
  }
}
