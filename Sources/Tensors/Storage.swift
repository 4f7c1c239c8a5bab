/// A piece of memory that tensors refer to, given back when the last reference goes.
final class Storage {
  private(set) var base: UnsafeMutableRawPointer
  let bytes: Int
  unowned let workspace: Workspace
  /// The same numbers in bf16, kept so by whoever changes them.
  let half: Storage?
  private var lender: Lender

  /// Whose the memory is; held strongly, because a result may outlive its workspace.
  private enum Lender {
    case pool(MemoryPool)
    case gradient(GradientLoan)
    case owner(AnyObject)
  }

  /// Memory from the pool of `workspace`.
  init(bytes: Int, in workspace: Workspace) {
    self.base = workspace.pool.take(bytes: bytes)
    self.bytes = bytes
    self.workspace = workspace
    self.lender = .pool(workspace.pool)
    half = nil
  }

  /// Memory that `owner` keeps alive, with its bf16 copy where there is one.
  init(
    borrowing base: UnsafeMutableRawPointer, bytes: Int, from owner: AnyObject,
    half: Storage? = nil, in workspace: Workspace
  ) {
    self.base = base
    self.bytes = bytes
    self.workspace = workspace
    self.lender = .owner(owner)
    self.half = half
  }

  /// Memory of the gradient of `workspace`; nil where it has no room.
  init?(bytes: Int, from loan: GradientLoan, in workspace: Workspace) {
    guard let base = loan.take(bytes: bytes) else { return nil }
    self.base = base
    self.bytes = bytes
    self.workspace = workspace
    self.lender = .gradient(loan)
    half = nil
    loan.settle(self)
  }

  deinit {
    switch lender {
    case .pool(let pool): pool.give(back: base, bytes: bytes)
    case .gradient(let loan): loan.leave(self)
    case .owner: break
    }
  }

  /// Gives memory of the gradient back before the last reference goes; the bytes are kept.
  func moveToPool() {
    guard case .gradient(let loan) = lender else { return }
    let new = workspace.pool.take(bytes: bytes)
    new.copyMemory(from: base, byteCount: bytes)
    loan.leave(self)
    base = new
    lender = .pool(workspace.pool)
  }
}

extension Storage {
  /// The elements as 32-bit floats.
  var floats: UnsafeMutablePointer<Float> { base.assumingMemoryBound(to: Float.self) }
}
