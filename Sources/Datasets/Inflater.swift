import CZlib
import Files

/// The inflated contents of a gzip file: one member or several in sequence (RFC 1952).
///
/// zlib verifies the checksum of each member. Zero padding after the last member, as on tapes, is
/// ignored.
final class Inflater {
  private let file: InputFile
  // zlib keeps a pointer to the stream in its state, so it must not move.
  private let stream: UnsafeMutablePointer<z_stream>
  private let input: UnsafeMutablePointer<UInt8>
  private static let inputCapacity = 1 << 16
  /// `MAX_WBITS` for the largest window, and 16 to accept gzip only.
  private static let gzipWindowBits: Int32 = MAX_WBITS + 16

  private var isInsideMember = false
  private var membersEnded = 0

  init(_ file: InputFile) throws(DatasetError) {
    self.file = file
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    input = .allocate(capacity: Self.inputCapacity)
    let status = inflateInit2_(
      stream, Self.gzipWindowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else {
      throw .damagedGzip(path: file.path, reason: "zlib status \(status)")
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    input.deallocate()
  }

  /// Inflates up to `capacity` bytes into `output` and returns their number; 0 at the end.
  func read(into output: UnsafeMutablePointer<UInt8>, capacity: Int) throws(DatasetError) -> Int {
    while true {
      if stream.pointee.avail_in == 0 {
        let count = try DatasetError.wrapping { () throws(StorageError) in
          try file.read(into: input, capacity: Self.inputCapacity)
        }
        stream.pointee.next_in = input
        stream.pointee.avail_in = UInt32(count)
        if count == 0 {
          guard !isInsideMember else { throw .truncatedGzip(path: file.path) }
          guard membersEnded > 0 else { throw .emptyFile(path: file.path) }
          return 0
        }
      }
      if !isInsideMember {
        if membersEnded > 0 {
          skipPadding()
          if stream.pointee.avail_in == 0 { continue }
          inflateReset(stream)
        }
        isInsideMember = true
      }
      stream.pointee.next_out = output
      stream.pointee.avail_out = UInt32(capacity)
      let status = inflate(stream, Z_NO_FLUSH)
      let produced = capacity - Int(stream.pointee.avail_out)
      switch status {
      case Z_OK, Z_BUF_ERROR:
        break
      case Z_STREAM_END:
        isInsideMember = false
        membersEnded += 1
      default:
        throw failure(status)
      }
      if produced > 0 { return produced }
    }
  }

  private func skipPadding() {
    while stream.pointee.avail_in > 0, stream.pointee.next_in.pointee == 0 {
      stream.pointee.next_in += 1
      stream.pointee.avail_in -= 1
    }
  }

  private func failure(_ status: Int32) -> DatasetError {
    if membersEnded == 0, stream.pointee.total_in <= 2 { return .notGzip(path: file.path) }
    let reason = stream.pointee.msg.map { String(cString: $0) } ?? "zlib status \(status)"
    return .damagedGzip(path: file.path, reason: reason)
  }
}
