// A gradient is as large as the weights, and waits while the forward pass fills the same amount of
// memory with what the backward pass will read. One piece of memory does for both.
//
// Operations stand on the tape in the order of the forward pass. Say operation u is the only one that
// uses parameter p. The backward pass writes p's gradient when it comes back to u, and by then it has
// been through, and dropped, everything recorded after u. So from u on p's gradient may hold tensors
// that are made later: they are gone before it is written.
//
// Two cases need more. A parameter that several operations use (`Variable.isShared`) is written when
// the backward pass comes to the last of them; it lends nothing. And a tensor may be kept beyond the
// backward pass by whoever called the operation: `reclaim` moves such a tensor to the pool. It also
// moves what lies in a parameter that is used again without having been declared as shared.

/// The memory of a worker's gradient, lent to tensors that the tape keeps.
///
/// Used by the worker's own thread.
final class GradientLoan {
  private let gradients: FlatBuffer
  private var free = FreeMemory()
  private var tenants: [Tenant] = []
  /// Tensors that had to be moved to the pool.
  private(set) var moves = 0

  private struct Tenant {
    let memory: Range<UInt>
    let storage: Unmanaged<Storage>
  }

  /// Nothing is lent yet.
  init(of gradients: FlatBuffer) {
    self.gradients = gradients
  }

  /// Room for `bytes`, if there is: `settle` or `leave` must follow.
  func take(bytes: Int) -> UnsafeMutableRawPointer? {
    free.take(GradientLoan.rounded(bytes)).flatMap { UnsafeMutableRawPointer(bitPattern: $0) }
  }

  /// Notes who lives at the room that it got from `take`.
  func settle(_ storage: Storage) {
    tenants.append(
      Tenant(memory: memory(of: storage), storage: Unmanaged.passUnretained(storage)))
  }

  /// `storage` needs its room no more.
  func leave(_ storage: Storage) {
    let memory = memory(of: storage)
    tenants.removeAll { $0.memory == memory }
    free.add(memory)
  }

  /// An operation was recorded that uses the parameter `variable`: its gradient is lent from now on,
  /// unless it already holds something.
  func lend(_ variable: Variable) {
    guard let memory = memory(of: variable), !variable.isWritten, !variable.isShared else { return }
    if variable.isLent {
      reclaim(variable)
      variable.isShared = true
    } else {
      variable.isLent = true
      free.add(memory)
    }
  }

  /// Whoever still lives in the gradient of `variable` is moved: it is about to be written.
  func reclaim(_ variable: Variable) {
    guard variable.isLent, let memory = memory(of: variable) else { return }
    for tenant in tenants where tenant.memory.overlaps(memory) {
      tenant.storage.takeUnretainedValue().moveToPool()
      moves += 1
    }
    free.remove(memory)
    variable.isLent = false
  }

  /// The same 64 bytes are not shared by two tensors.
  private static func rounded(_ bytes: Int) -> Int { (bytes + 63) / 64 * 64 }

  private func memory(of storage: Storage) -> Range<UInt> {
    let start = UInt(bitPattern: storage.base)
    return start..<start + UInt(GradientLoan.rounded(storage.bytes))
  }

  private func memory(of variable: Variable) -> Range<UInt>? {
    guard let range = variable.parameter?.range, let base = gradients.elements.baseAddress else {
      return nil
    }
    return UInt(bitPattern: base + range.lowerBound)..<UInt(bitPattern: base + range.upperBound)
  }
}
