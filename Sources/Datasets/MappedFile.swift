import Glibc

/// A file mapped into memory, read-only.
///
/// `@unchecked Sendable`: the mapping does not change between `init` and `deinit` and is only read.
final class MappedFile: @unchecked Sendable {
  let path: String
  let bytes: UnsafeRawBufferPointer

  init(_ path: String) throws(DatasetError) {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SourceFile.failure(path: path, code: errno) }
    defer { close(descriptor) }
    guard let status = FileStatus(path) else { throw SourceFile.failure(path: path, code: errno) }
    guard status.kind == .file else { throw .notAFile(path: path) }
    let count = Int(lseek(descriptor, 0, SEEK_END))
    // mmap refuses an empty file.
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let start = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0), start != MAP_FAILED
    else { throw .storage(operation: "map", path: path, code: errno) }
    bytes = UnsafeRawBufferPointer(start: start, count: count)
  }

  deinit {
    if let start = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
    }
  }
}
