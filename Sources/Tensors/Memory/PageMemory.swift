import Glibc

/// Zeroed memory mapped from the system, which provides each page at its first write.
struct PageMemory: ~Copyable {
  /// The first byte; aligned to a huge page if the memory is large.
  let start: UnsafeMutableRawPointer
  private let mapping: UnsafeMutableRawBufferPointer

  /// Maps `bytes` bytes; when the system refuses them, the process ends with a sentence and exit
  /// code 2.
  init(bytes: Int) {
    let isLarge = bytes >= HugePages.leastBlock
    let size = max(bytes, 1) + (isLarge ? HugePages.size : 0)
    let block = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let block, block != MAP_FAILED else {
      let reason = String(cString: strerror(errno))
      let sentence =
        "apus: the system refuses \(bytes >> 20) MiB of memory (\(reason)): raise its limits, such as "
        + "ulimit -v, or choose a smaller model or LoRA (lora.rank).\n"
      _ = sentence.utf8CString.withUnsafeBytes {
        write(STDERR_FILENO, $0.baseAddress, $0.count - 1)
      }
      _exit(2)
    }
    mapping = UnsafeMutableRawBufferPointer(start: block, count: size)
    start = isLarge ? block.alignedUp(toMultipleOf: HugePages.size) : block
    if isLarge { HugePages.request(for: start, bytes: bytes) }
  }

  deinit {
    munmap(mapping.baseAddress, mapping.count)
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

  /// MADV_HUGEPAGE.
  private static let adviseHugePages: Int32 = 14
}
