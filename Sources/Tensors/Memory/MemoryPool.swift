import Glibc

/// A pool of memory blocks that are reused.
///
/// Every training step requests the same sizes: after the first step a worker's requests are served
/// from the pool, and `systemAllocations` no longer grows. With a team this takes a few more steps,
/// because the number of threads that use scratch memory at the same time varies. Small blocks are
/// kept by size class. Large blocks are cut from free memory of any size and merged with it again,
/// so that the memory of one part of a step serves the next part with other sizes. Blocks are
/// 64-byte aligned; system allocations of 4 MiB and more are aligned to 2 MiB and request huge
/// pages. Blocks may be taken and given back on any thread.
package final class MemoryPool: @unchecked Sendable {
  // Sendable: all properties are written under `lock`; the counters are read while no thread works.

  /// The number of allocations from the system.
  package private(set) var systemAllocations = 0
  /// Bytes allocated from the system, in use or free.
  package private(set) var bytesHeld = 0
  /// Free small blocks by size class.
  private var free: [Int: [UnsafeMutableRawPointer]] = [:]
  private var freeLarge = FreeMemory()
  /// System allocations for large blocks.
  private var pieces: [UnsafeMutableRawPointer] = []
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  init() {
    pthread_mutex_init(lock, nil)
  }

  deinit {
    pthread_mutex_destroy(lock)
    lock.deallocate()
    for blocks in free.values { for block in blocks { block.deallocate() } }
    for piece in pieces { piece.deallocate() }
  }

  /// Rounds the size of small blocks up to eighths of a power of two, so that similar sizes share a
  /// class and at most an eighth is wasted, and the size of large blocks up to full pages.
  static func sizeClass(_ bytes: Int) -> Int {
    let least = max(bytes, 64)
    let isLarge = least >= largeBlock
    let step = isLarge ? page : max(64, 1 << (Int.bitWidth - least.leadingZeroBitCount - 4))
    return (least + step - 1) / step * step
  }

  func take(bytes: Int) -> UnsafeMutableRawPointer {
    let size = MemoryPool.sizeClass(bytes)
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    if size < largeBlock {
      return free[size]?.popLast() ?? allocate(size)
    }
    if let block = freeLarge.take(size).flatMap({ UnsafeMutableRawPointer(bitPattern: $0) }) {
      return block
    }
    let piece = allocate(size)
    pieces.append(piece)
    return piece
  }

  func give(back block: UnsafeMutableRawPointer, bytes: Int) {
    let size = MemoryPool.sizeClass(bytes)
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    if size < largeBlock {
      free[size, default: []].append(block)
    } else {
      let start = UInt(bitPattern: block)
      freeLarge.add(start..<start + UInt(size))
    }
  }

  private func allocate(_ size: Int) -> UnsafeMutableRawPointer {
    systemAllocations += 1
    bytesHeld += size
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: size, alignment: size >= HugePages.leastBlock ? HugePages.size : 64)
    if size >= HugePages.leastBlock { HugePages.request(for: block, bytes: size) }
    return block
  }
}

private let page = 4 << 10
private let largeBlock = 256 << 10
