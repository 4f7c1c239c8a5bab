/// Reads the wire format of Protocol Buffers as far as sentencepiece's models need it.
///
/// Every length is checked against the rest of the file; callers skip the fields that they do not
/// need.
///
///     tag       field number << 3 | wire type, as a varint
///     value     0: varint   1: 8 bytes   2: length as a varint, then bytes   5: 4 bytes
struct ProtobufReader {
  /// The value of a field.
  enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    case bytes(ArraySlice<UInt8>)
  }

  /// The error for a truncated or malformed message.
  struct Malformed: Error, Equatable {
    /// The byte offset in the file at which reading stopped.
    let position: Int
  }

  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) {
    rest = bytes
  }

  /// Returns the next field; nil at the end.
  mutating func next() throws(Malformed) -> (number: Int, value: Value)? {
    if rest.isEmpty { return nil }
    let tag = try varint()
    let number = Int(truncatingIfNeeded: tag >> 3)
    switch tag & 7 {
    case 0: return (number, .varint(try varint()))
    case 1: return (number, .fixed64(try fixed(8)))
    case 5: return (number, .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
    case 2:
      let length = try varint()
      guard length <= UInt64(rest.count) else { throw Malformed(position: rest.startIndex) }
      let value = rest.prefix(Int(length))
      rest = rest.dropFirst(Int(length))
      return (number, .bytes(value))
    default: throw Malformed(position: rest.startIndex)
    }
  }

  private mutating func varint() throws(Malformed) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = rest.popFirst() else { throw Malformed(position: rest.startIndex) }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw Malformed(position: rest.startIndex)
  }

  private mutating func fixed(_ count: Int) throws(Malformed) -> UInt64 {
    guard rest.count >= count else { throw Malformed(position: rest.startIndex) }
    let value = rest.prefix(count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    rest = rest.dropFirst(count)
    return value
  }
}
