import CSystem
import Glibc

/// A file mapped into memory, read-only.
///
/// If a page can no longer be read, because another process has shortened the file or its disk
/// fails, the access to it ends the process with a sentence and exit code 5.
///
/// `@unchecked Sendable`: the mapping does not change between `init` and `deinit` and is only read.
package final class MappedFile: @unchecked Sendable {
  package let path: String
  package let bytes: UnsafeRawBufferPointer

  /// Maps the regular file at `path`.
  package init(_ path: String) throws(StorageError) {
    let file = try InputFile(path)
    let status = file.status
    self.path = path
    // mmap refuses an empty file.
    guard status.byteCount > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    let start = mmap(nil, status.byteCount, PROT_READ, MAP_PRIVATE, file.descriptor, 0)
    guard let start, start != MAP_FAILED else {
      throw .call(operation: "map", path: path, code: errno)
    }
    bytes = UnsafeRawBufferPointer(start: start, count: status.byteCount)
    apus_name_mapping(start, status.byteCount, path)
  }

  deinit {
    if let start = bytes.baseAddress {
      apus_forget_mapping(start)
      munmap(UnsafeMutableRawPointer(mutating: start), bytes.count)
    }
  }
}
