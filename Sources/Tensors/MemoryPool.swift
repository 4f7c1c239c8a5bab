import Glibc

/// Memory blocks that are kept for reuse.
///
/// A training step asks for the same sizes again and again: after the first step a worker's requests
/// are served from here, and `systemAllocations` stands still; with a team, whose threads take
/// scratch memory at the same time or not, soon after. Small blocks are kept by size class. Large ones
/// are cut from whatever is free and join it again: what one part of a step is done with serves the
/// next, whatever its sizes. Blocks are 64-byte aligned; pieces of 4 MiB and more from the system lie on
/// 2 MiB boundaries and ask for huge pages. Blocks may be taken and given back on any thread.
public final class MemoryPool: @unchecked Sendable {
  // Sendable: every property is written under `lock`; the counters are read while nobody works.

  /// How often memory was asked of the system.
  public private(set) var systemAllocations = 0
  /// Bytes held from the system, in use or waiting.
  public private(set) var bytesHeld = 0
  /// Small blocks, by size class.
  private var free: [Int: [UnsafeMutableRawPointer]] = [:]
  private var freeLarge = FreeMemory()
  /// What the system gave for large blocks.
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

  /// Rounds small blocks up to eighths of a power of two, so that nearly equal sizes share a class at
  /// the cost of at most an eighth, and large ones to whole pages.
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
      byteCount: size, alignment: size >= hugeBlock ? hugePage : 64)
    if size >= hugeBlock { madvise(block, size, adviseHugePages) }
    return block
  }
}

private let page = 4 << 10
private let largeBlock = 256 << 10
private let hugePage = 2 << 20
private let hugeBlock = 4 << 20
private let adviseHugePages: Int32 = 14
