/// A piece of memory that tensors refer to, returned to its pool when the last reference goes.
final class Storage {
  let pointer: UnsafeMutablePointer<Float>
  let count: Int
  unowned let workspace: Workspace
  /// Where the memory goes back to; held strongly, because a result may outlive its workspace.
  private let pool: MemoryPool?
  /// Who keeps borrowed memory alive.
  private let owner: AnyObject?

  /// Memory from the pool of `workspace`.
  init(count: Int, in workspace: Workspace) {
    self.pointer = workspace.pool.take(bytes: count * MemoryLayout<Float>.stride)
      .assumingMemoryBound(to: Float.self)
    self.count = count
    self.workspace = workspace
    self.pool = workspace.pool
    self.owner = nil
  }

  /// Memory that `owner` keeps alive.
  init(
    borrowing pointer: UnsafeMutablePointer<Float>, count: Int, from owner: AnyObject,
    in workspace: Workspace
  ) {
    self.pointer = pointer
    self.count = count
    self.workspace = workspace
    self.pool = nil
    self.owner = owner
  }

  deinit {
    pool?.give(back: pointer, bytes: count * MemoryLayout<Float>.stride)
  }
}
