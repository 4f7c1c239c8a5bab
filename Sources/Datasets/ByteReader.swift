import Files

/// The bytes of a source file, inflated if it is compressed, in chunks of bounded size.
struct ByteReader {
  private let file: InputFile
  private let inflater: Inflater?
  private var chunk = [UInt8](repeating: 0, count: 1 << 18)

  init(_ source: SourceFile) throws(DatasetError) {
    file = try DatasetError.wrapping { () throws(StorageError) in try InputFile(source.path) }
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
          try DatasetError.wrapping { () throws(StorageError) in
            try file.read(into: start, capacity: buffer.count)
          }
        }
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: UnsafeBufferPointer(buffer)[..<count]))
      return count
    }
    return count > 0
  }
}
