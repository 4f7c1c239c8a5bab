/// A piece of memory that tensors refer to, returned to its pool when the last reference goes.
final class Storage {
  let pointer: UnsafeMutablePointer<Float>
  let count: Int
  unowned let workspace: Workspace
  /// Keeps borrowed memory alive; nil when the memory came from the workspace's pool.
  private let owner: AnyObject?

  /// Memory from the pool of `workspace`.
  init(count: Int, in workspace: Workspace) {
    self.pointer = workspace.pool.take(bytes: count * MemoryLayout<Float>.stride)
      .assumingMemoryBound(to: Float.self)
    self.count = count
    self.workspace = workspace
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
    self.owner = owner
  }

  deinit {
    if owner == nil {
      workspace.pool.give(back: pointer, bytes: count * MemoryLayout<Float>.stride)
    }
  }
}
