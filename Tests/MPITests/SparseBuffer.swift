import Glibc

/// Zeroed virtual memory, of which only the pages that are touched take memory.
final class SparseBuffer {
  struct MappingFailure: Error { let count: Int }

  let bytes: UnsafeMutableBufferPointer<UInt8>

  init(count: Int) throws {
    let memory = mmap(
      nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let memory, memory != MAP_FAILED else { throw MappingFailure(count: count) }
    bytes = UnsafeMutableBufferPointer(
      start: memory.assumingMemoryBound(to: UInt8.self), count: count)
  }

  deinit {
    munmap(bytes.baseAddress, bytes.count)
  }
}
