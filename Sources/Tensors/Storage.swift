/// A piece of memory that tensors refer to, returned to its pool when the last reference goes.
final class Storage {
  let base: UnsafeMutableRawPointer
  let bytes: Int
  unowned let workspace: Workspace
  /// Where the memory goes back to; held strongly, because a result may outlive its workspace.
  private let pool: MemoryPool?
  /// Who keeps borrowed memory alive.
  private let owner: AnyObject?
  /// The same numbers in bf16, kept so by whoever changes them.
  let half: Storage?

  /// Memory from the pool of `workspace`.
  init(bytes: Int, in workspace: Workspace) {
    self.base = workspace.pool.take(bytes: bytes)
    self.bytes = bytes
    self.workspace = workspace
    self.pool = workspace.pool
    self.owner = nil
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
    self.pool = nil
    self.owner = owner
    self.half = half
  }

  deinit {
    pool?.give(back: base, bytes: bytes)
  }
}

extension Storage {
  /// The elements as 32-bit floats.
  var floats: UnsafeMutablePointer<Float> { base.assumingMemoryBound(to: Float.self) }
}
