/// The memory of tensors, released with the last reference.
final class Storage {
  private(set) var base: UnsafeMutableRawPointer
  let bytes: Int
  unowned let workspace: Workspace
  /// The same numbers in bf16, updated by the code that changes them; nil without a copy.
  let bf16Copy: Storage?
  private var origin: Origin

  /// The owner of the memory, held strongly, because a result may outlive its workspace.
  private enum Origin {
    case pool(MemoryPool)
    case arena(GradientArena)
    case owner(AnyObject)
  }

  /// Allocates memory from the pool of `workspace`.
  init(bytes: Int, in workspace: Workspace) {
    self.base = workspace.pool.take(bytes: bytes)
    self.bytes = bytes
    self.workspace = workspace
    self.origin = .pool(workspace.pool)
    bf16Copy = nil
  }

  /// Refers to memory that `owner` keeps alive, optionally with a bf16 copy.
  init(
    borrowing base: UnsafeMutableRawPointer, bytes: Int, from owner: AnyObject,
    bf16Copy: Storage? = nil, in workspace: Workspace
  ) {
    self.base = base
    self.bytes = bytes
    self.workspace = workspace
    self.origin = .owner(owner)
    self.bf16Copy = bf16Copy
  }

  /// Allocates memory in the gradient arena of `workspace`; nil when the arena has no room.
  init?(bytes: Int, from arena: GradientArena, in workspace: Workspace) {
    guard let base = arena.allocate(bytes: bytes) else { return nil }
    self.base = base
    self.bytes = bytes
    self.workspace = workspace
    self.origin = .arena(arena)
    bf16Copy = nil
    arena.register(self)
  }

  deinit {
    switch origin {
    case .pool(let pool): pool.give(back: base, bytes: bytes)
    case .arena(let arena): arena.release(self)
    case .owner: break
    }
  }

  /// Moves the bytes from the arena to the pool and releases the arena's memory.
  func moveToPool() {
    guard case .arena(let arena) = origin else { return }
    let new = workspace.pool.take(bytes: bytes)
    new.copyMemory(from: base, byteCount: bytes)
    arena.release(self)
    base = new
    origin = .pool(workspace.pool)
  }
}

extension Storage {
  /// The address of the elements as fp32 numbers.
  var floats: UnsafeMutablePointer<Float> { base.assumingMemoryBound(to: Float.self) }
}
