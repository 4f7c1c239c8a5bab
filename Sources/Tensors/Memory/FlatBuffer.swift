import CKernels
import Glibc

/// A flat buffer of parameters or gradients, on huge pages where the system supports them.
package final class FlatArray<Element: BitwiseCopyable>: @unchecked Sendable {
  // Sendable: the users of a shared buffer coordinate their writes; the type holds only the
  // address.

  package let elements: UnsafeMutableBufferPointer<Element>
  private let memory: PageMemory
  /// True for the buffer of another process.
  private let isMapped: Bool

  /// Allocates `count` elements whose bits are zero.
  ///
  /// A page takes memory when a thread first writes to it, so that threads which share the work
  /// share the cost of its pages, and a buffer that is never used costs nothing. The huge pages of a
  /// shared buffer take memory at once, at the NUMA node of the calling thread.
  ///
  /// - Parameter isShared: True for a buffer that other processes of the host can map by its
  ///   `handle`.
  package init(count: Int, isShared: Bool = false) {
    memory = PageMemory(bytes: count * MemoryLayout<Element>.stride, isShared: isShared)
    elements = UnsafeMutableBufferPointer(
      start: memory.start.bindMemory(to: Element.self, capacity: count), count: count)
    isMapped = false
  }

  /// Maps the buffer of another process of this host.
  package init(
    mapping handle: SharedMemoryHandle, isWritable: Bool = false
  ) throws(SharedMemoryRefusal) {
    memory = try PageMemory(mapping: handle, isWritable: isWritable)
    let count = handle.bytes / MemoryLayout<Element>.stride
    elements = UnsafeMutableBufferPointer(
      start: memory.start.bindMemory(to: Element.self, capacity: count), count: count)
    isMapped = true
  }

  /// The handle by which other processes of the host map this buffer; nil when it is not shared, or the
  /// system refused that.
  package var handle: SharedMemoryHandle? { memory.handle }

  /// Removes `range` of another process's buffer from the resident memory of this one, until the next
  /// access; the elements stay.
  package func release(_ range: Range<Int>) {
    precondition(isMapped, "the pages of an own buffer would lose their elements")
    let size = MemoryLayout<Element>.stride
    memory.release(range.lowerBound * size..<range.upperBound * size)
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
