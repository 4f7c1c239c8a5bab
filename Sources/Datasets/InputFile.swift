import Glibc

/// An open file, read from its start.
final class InputFile {
  let path: String
  private let descriptor: Int32

  init(_ path: String) throws(DatasetError) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SourceFile.failure(path: path, code: errno) }
  }

  deinit { close(descriptor) }

  /// Reads up to `capacity` bytes into `buffer` and returns their number; 0 at the end.
  func read(into buffer: UnsafeMutablePointer<UInt8>, capacity: Int) throws(DatasetError) -> Int {
    while true {
      let count = Glibc.read(descriptor, buffer, capacity)
      if count >= 0 { return count }
      guard errno == EINTR else { throw .storage(operation: "read", path: path, code: errno) }
    }
  }
}

/// The bytes of a source file, inflated if it is compressed, in chunks of bounded size.
struct ByteReader {
  private let file: InputFile
  private let inflater: Inflater?
  private var chunk = [UInt8](repeating: 0, count: 1 << 18)

  init(_ source: SourceFile) throws(DatasetError) {
    file = try InputFile(source.path)
    inflater = source.isCompressed ? try Inflater(file) : nil
  }

  /// Appends the next bytes to `bytes`; returns false at the end.
  mutating func read(into bytes: inout [UInt8]) throws(DatasetError) -> Bool {
    let count = try chunk.withUnsafeMutableBufferPointer { buffer throws(DatasetError) -> Int in
      guard let start = buffer.baseAddress else { return 0 }
      let count =
        if let inflater {
          try inflater.read(into: start, capacity: buffer.count)
        } else {
          try file.read(into: start, capacity: buffer.count)
        }
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: UnsafeBufferPointer(buffer)[..<count]))
      return count
    }
    return count > 0
  }
}
