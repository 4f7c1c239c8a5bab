import CSystem
import Glibc

/// The numbers by which a process of the host finds and maps the memory of another.
package struct SharedMemoryHandle: Sendable, Equatable {
  /// The number of integers in `words`.
  package static let wordCount = 4

  let process: Int32
  let descriptor: Int32
  /// The number of the file; another process may have the number of `process` in a container.
  let file: UInt64
  let bytes: Int

  /// The memory of this process with the descriptor `descriptor`.
  init(descriptor: Int32, bytes: Int) {
    process = getpid()
    self.descriptor = descriptor
    file = apus_file_number(descriptor)
    self.bytes = bytes
  }

  /// The handle that another process sent as `words`.
  package init(words: [Int64]) {
    precondition(words.count == Self.wordCount, "a handle of \(words.count) integers")
    process = Int32(truncatingIfNeeded: words[0])
    descriptor = Int32(truncatingIfNeeded: words[1])
    file = UInt64(bitPattern: words[2])
    bytes = Int(words[3])
  }

  /// The handle as integers, to be sent.
  package var words: [Int64] {
    [Int64(process), Int64(descriptor), Int64(bitPattern: file), Int64(bytes)]
  }

  func open() -> Int32 { apus_open_shared_memory(process, descriptor, file, bytes) }

  func close() { Glibc.close(descriptor) }
}

/// The error when the system does not let this process map the memory of another.
package struct SharedMemoryRefusal: Error, Equatable, CustomStringConvertible {
  /// The `errno` of the refusal.
  package let code: Int32

  /// The failure and its cause; the caller names the rank.
  package var description: String {
    "the memory of another rank of the host cannot be mapped (\(String(cString: strerror(code))))"
  }
}
