import Glibc

/// Memory blocks that are kept for reuse, by size class.
///
/// A training step asks for the same sizes again and again: after the first step a worker's requests
/// are served from here, and `systemAllocations` stands still; with a team, whose threads take
/// scratch memory at the same time or not, soon after. Blocks are 64-byte aligned; blocks of
/// 4 MiB and more lie on 2 MiB boundaries and ask for huge pages. Blocks may be taken and given back
/// on any thread.
public final class MemoryPool: @unchecked Sendable {
  // Sendable: every property is written under `lock`; the counters are read while nobody works.

  /// How often memory was asked of the system.
  public private(set) var systemAllocations = 0
  /// Bytes held from the system, in use or waiting.
  public private(set) var bytesHeld = 0
  private var free: [Int: [UnsafeMutableRawPointer]] = [:]
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  init() {
    pthread_mutex_init(lock, nil)
  }

  deinit {
    pthread_mutex_destroy(lock)
    lock.deallocate()
    for blocks in free.values { for block in blocks { block.deallocate() } }
  }

  /// Rounds up to eighths of a power of two, so that nearly equal sizes share a class at the cost
  /// of at most an eighth.
  static func sizeClass(_ bytes: Int) -> Int {
    let least = max(bytes, 64)
    let step = max(64, 1 << (Int.bitWidth - least.leadingZeroBitCount - 4))
    return (least + step - 1) / step * step
  }

  func take(bytes: Int) -> UnsafeMutableRawPointer {
    let size = MemoryPool.sizeClass(bytes)
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    if let block = free[size]?.popLast() { return block }
    systemAllocations += 1
    bytesHeld += size
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: size, alignment: size >= hugeBlock ? hugePage : 64)
    if size >= hugeBlock { madvise(block, size, adviseHugePages) }
    return block
  }

  func give(back block: UnsafeMutableRawPointer, bytes: Int) {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    free[MemoryPool.sizeClass(bytes), default: []].append(block)
  }
}

private let hugePage = 2 << 20
private let hugeBlock = 4 << 20
private let adviseHugePages: Int32 = 14
