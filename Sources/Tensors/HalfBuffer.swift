import CKernels

/// A flat buffer of parameters in bf16, a rounded copy of a `FlatBuffer`.
public final class HalfBuffer: @unchecked Sendable {
  // Sendable: whoever shares it decides who writes when; the type itself keeps only the address.

  /// The elements.
  public let elements: UnsafeMutableBufferPointer<UInt16>
  private let block: UnsafeMutableRawPointer
  private let bytes: Int
  private let pool = MemoryPool()

  /// `count` zeros.
  public init(count: Int) {
    bytes = count * MemoryLayout<UInt16>.stride
    block = pool.take(bytes: bytes)
    elements = UnsafeMutableBufferPointer(
      start: block.bindMemory(to: UInt16.self, capacity: count), count: count)
    elements.update(repeating: 0)
  }

  deinit {
    pool.give(back: block, bytes: bytes)
  }

  /// Rounds `range` of `values` into this buffer.
  public func round(_ values: FlatBuffer, _ range: Range<Int>) {
    guard let from = values.elements.baseAddress, let to = elements.baseAddress else { return }
    apus_round_half(to + range.lowerBound, from + range.lowerBound, range.count)
  }
}
