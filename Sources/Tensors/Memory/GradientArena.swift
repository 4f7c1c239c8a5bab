// Aliasing of activations into the gradient buffer.
//
// The gradient buffer is as large as the weights, and it is unused while the forward pass fills a
// similar amount of memory with the tensors saved for the backward pass. Both can share one buffer.
//
// The tape records operations in the order of the forward pass. Let operation u be the only one
// that uses parameter p. The backward pass writes the gradient of p when it reaches u. By then it
// has processed and released everything that was recorded after u. So from u on, the memory of p's
// gradient may hold tensors that are created later: they are released before the gradient is
// written.
//
// Two cases need more care. The gradient of a parameter that several operations use
// (`Variable.isShared`) is written first when the backward pass reaches the last of them, so its
// memory is never added to the arena. And the caller of an operation may keep a tensor beyond the
// backward pass: `evict` moves such a tensor to the pool. `evict` also moves the tensors in the
// gradient of a parameter that is used again without having been declared as shared.

/// An arena that allocates saved tensors in the memory of a worker's gradient buffer.
///
/// Used by the worker's own thread.
final class GradientArena {
  private let gradients: FlatBuffer
  private var free = FreeMemory()
  private var allocations: [Allocation] = []
  /// The number of tensors that had to be moved to the pool.
  private(set) var evictions = 0

  private struct Allocation {
    let memory: Range<UInt>
    let storage: Unmanaged<Storage>
  }

  init(of gradients: FlatBuffer) {
    self.gradients = gradients
  }

  /// Allocates `bytes`; nil when there is no room.
  ///
  /// The caller must then call `register`.
  func allocate(bytes: Int) -> UnsafeMutableRawPointer? {
    free.take(GradientArena.rounded(bytes)).flatMap { UnsafeMutableRawPointer(bitPattern: $0) }
  }

  /// Registers `storage` as the user of memory that `allocate` returned.
  func register(_ storage: Storage) {
    allocations.append(
      Allocation(memory: memory(of: storage), storage: Unmanaged.passUnretained(storage)))
  }

  /// Releases the allocation of `storage`.
  func release(_ storage: Storage) {
    let memory = memory(of: storage)
    allocations.removeAll { $0.memory == memory }
    free.add(memory)
  }

  /// Adds the memory of the gradient of the parameter `variable` to the arena, unless the gradient
  /// already holds a contribution.
  ///
  /// Call it when an operation that uses the parameter was recorded; at the second use, the
  /// parameter is evicted and marked as shared.
  func addMemory(of variable: Variable) {
    guard let memory = memory(of: variable), !variable.isWritten, !variable.isShared else { return }
    if variable.isInArena {
      evict(variable)
      variable.isShared = true
    } else {
      variable.isInArena = true
      free.add(memory)
    }
  }

  /// Moves all allocations in the gradient of `variable` to the pool, because the gradient is about
  /// to be written, and removes its memory from the arena.
  func evict(_ variable: Variable) {
    guard variable.isInArena, let memory = memory(of: variable) else { return }
    for allocation in allocations where allocation.memory.overlaps(memory) {
      allocation.storage.takeUnretainedValue().moveToPool()
      evictions += 1
    }
    free.remove(memory)
    variable.isInArena = false
  }

  /// Rounds up to 64 bytes, so that no two tensors share a cache line.
  private static func rounded(_ bytes: Int) -> Int { (bytes + 63) / 64 * 64 }

  private func memory(of storage: Storage) -> Range<UInt> {
    let start = UInt(bitPattern: storage.base)
    return start..<start + UInt(GradientArena.rounded(storage.bytes))
  }

  private func memory(of variable: Variable) -> Range<UInt>? {
    guard let range = variable.parameter?.range, let base = gradients.elements.baseAddress else {
      return nil
    }
    return UInt(bitPattern: base + range.lowerBound)..<UInt(bitPattern: base + range.upperBound)
  }
}
