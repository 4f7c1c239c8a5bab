import CSystem
import Glibc

/// Zeroed memory mapped from the system, which provides each page at its first write.
struct PageMemory: ~Copyable {
  /// The first byte; aligned to a huge page if the memory is large.
  let start: UnsafeMutableRawPointer
  /// The handle by which other processes of the host map this memory; nil for private memory and that of
  /// another process.
  let handle: SharedMemoryHandle?
  private let mapping: UnsafeMutableRawBufferPointer

  /// Maps `bytes` bytes; when the system refuses them, the process ends with a sentence and exit
  /// code 2.
  ///
  /// - Parameter isShared: True for memory that other processes of the host can map. It is private
  ///   where the system refuses that.
  init(bytes: Int, isShared: Bool = false) {
    guard let (start, mapping) = Self.reserve(bytes: bytes, PROT_READ | PROT_WRITE) else {
      let reason = String(cString: strerror(errno))
      let sentence =
        "apus: the system refuses \(bytes >> 20) MiB of memory (\(reason)): raise its limits, such as "
        + "ulimit -v, or choose a smaller model or LoRA (lora.rank).\n"
      _ = sentence.utf8CString.withUnsafeBytes {
        write(STDERR_FILENO, $0.baseAddress, $0.count - 1)
      }
      _exit(2)
    }
    (self.start, self.mapping) = (start, mapping)
    let file = isShared && bytes > 0 ? apus_create_shared_memory(bytes) : -1
    if file >= 0, Self.replace(start, bytes: bytes, by: file, PROT_READ | PROT_WRITE) {
      handle = SharedMemoryHandle(descriptor: file, bytes: bytes)
    } else {
      if file >= 0 { close(file) }
      handle = nil
    }
    guard bytes >= HugePages.leastBlock else { return }
    HugePages.request(for: start, bytes: bytes)
    if handle != nil { HugePages.collapse(start, bytes: bytes) }
  }

  /// Maps the memory of another process of this host.
  ///
  /// - Throws: The `errno` of the refusal.
  init(mapping handle: SharedMemoryHandle, isWritable: Bool) throws(SharedMemoryRefusal) {
    let file = handle.open()
    guard file >= 0 else { throw SharedMemoryRefusal(code: errno) }
    defer { close(file) }
    let protection = PROT_READ | (isWritable ? PROT_WRITE : 0)
    guard let (start, mapping) = Self.reserve(bytes: handle.bytes, protection) else {
      throw SharedMemoryRefusal(code: errno)
    }
    guard Self.replace(start, bytes: handle.bytes, by: file, protection) else {
      let code = errno
      munmap(mapping.baseAddress, mapping.count)
      throw SharedMemoryRefusal(code: code)
    }
    (self.start, self.mapping, self.handle) = (start, mapping, nil)
  }

  deinit {
    handle?.close()
    munmap(mapping.baseAddress, mapping.count)
  }

  /// Removes the whole pages of `bytes` of a mapping of another process's memory from this process,
  /// whose resident size they count in, until the next access.
  func release(_ bytes: Range<Int>) {
    let page = 4096
    let first = (bytes.lowerBound + page - 1) / page * page
    let last = bytes.upperBound / page * page
    if first < last { madvise(start + first, last - first, MADV_DONTNEED) }
  }

  /// Reserves addresses, those of a large block aligned to a huge page.
  private static func reserve(
    bytes: Int, _ protection: Int32
  ) -> (start: UnsafeMutableRawPointer, mapping: UnsafeMutableRawBufferPointer)? {
    let isLarge = bytes >= HugePages.leastBlock
    let size = max(bytes, 1) + (isLarge ? HugePages.size : 0)
    let block = mmap(nil, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let block, block != MAP_FAILED else { return nil }
    return (
      isLarge ? block.alignedUp(toMultipleOf: HugePages.size) : block,
      UnsafeMutableRawBufferPointer(start: block, count: size)
    )
  }

  /// Maps a file in place of reserved addresses.
  private static func replace(
    _ start: UnsafeMutableRawPointer, bytes: Int, by file: Int32, _ protection: Int32
  ) -> Bool {
    mmap(start, bytes, protection, MAP_SHARED | MAP_FIXED, file, 0) != MAP_FAILED
  }
}

/// Pages of 2 MiB, which large blocks request where the system supports them.
enum HugePages {
  /// The size of a page in bytes.
  static let size = 2 << 20
  /// The smallest block, in bytes, that requests them.
  static let leastBlock = 4 << 20

  /// Requests huge pages for a block that is aligned to one.
  static func request(for block: UnsafeMutableRawPointer, bytes: Int) {
    madvise(block, bytes, adviseHugePages)
  }

  /// Fills a new block of shared memory with huge pages, at the NUMA node of the calling thread.
  ///
  /// Most systems give shared memory no huge pages on request alone (`shmem_enabled` is `never`), but
  /// let a process make them of small ones, from Linux 6.1 on. One small page in each is enough.
  static func collapse(_ block: UnsafeMutableRawPointer, bytes: Int) {
    let whole = bytes / size * size
    for offset in stride(from: 0, to: whole, by: size) {
      block.storeBytes(of: 0, toByteOffset: offset, as: UInt8.self)
    }
    madvise(block, whole, collapseToHugePages)
  }

  /// MADV_HUGEPAGE.
  private static let adviseHugePages: Int32 = 14
  /// MADV_COLLAPSE.
  private static let collapseToHugePages: Int32 = 25
}
