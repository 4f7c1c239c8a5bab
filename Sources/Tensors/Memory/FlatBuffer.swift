import CKernels
import Glibc

/// A flat buffer of parameters or gradients, on huge pages where the system supports them.
package final class FlatArray<Element: BitwiseCopyable>: @unchecked Sendable {
  // Sendable: the users of a shared buffer coordinate their writes; the type holds only the
  // address.

  package let elements: UnsafeMutableBufferPointer<Element>
  private let memory: PageMemory

  /// Allocates `count` elements whose bits are zero.
  ///
  /// A page takes memory when a thread first writes to it, so that threads which share the work
  /// share the cost of its pages, and a buffer that is never used costs nothing.
  package init(count: Int) {
    memory = PageMemory(bytes: count * MemoryLayout<Element>.stride)
    elements = UnsafeMutableBufferPointer(
      start: memory.start.bindMemory(to: Element.self, capacity: count), count: count)
  }
}

/// A flat buffer in fp32.
package typealias FlatBuffer = FlatArray<Float>

/// A flat buffer in bf16, as a rule a rounded copy of a `FlatBuffer`.
package typealias BF16Buffer = FlatArray<UInt16>

extension FlatArray<UInt16> {
  /// Rounds `range` of `values` into this buffer.
  package func round(_ values: FlatBuffer, _ range: Range<Int>) {
    guard let from = values.elements.baseAddress, let to = elements.baseAddress else { return }
    apus_round_bf16(to + range.lowerBound, from + range.lowerBound, range.count)
  }
}
