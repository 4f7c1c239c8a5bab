import Files

/// Writes a safetensors file; equal tensors, order and metadata give equal bytes.
///
/// The bytes equal those of Hugging Face's writer for the same order. That writer puts wide types
/// before narrow ones so that every tensor is aligned; here the caller chooses the order.
package struct SafeTensorsWriter {
  private let tensors: [SafeTensor]
  private let header: [UInt8]

  /// A file of `tensors` in this order, with `metadata` sorted by key.
  package init(_ tensors: [SafeTensor], metadata: [String: String] = [:]) {
    var names: Set<String> = ["__metadata__"]
    for tensor in tensors {
      precondition(names.insert(tensor.name).inserted, "tensor name \(tensor.name) is taken")
    }
    self.tensors = tensors
    header = Self.header(tensors, metadata)
  }

  /// The size of the file in bytes.
  package var byteCount: Int {
    tensors.reduce(8 + header.count) { $0 + $1.bytes.count }
  }

  /// Appends the whole file to `file`.
  package func write(to file: inout DurableFile) throws(StorageError) {
    var start = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> ($0 * 8)) }
    start += header
    try file.write(start)
    for tensor in tensors { try file.write(tensor.bytes) }
  }

  private static func header(_ tensors: [SafeTensor], _ metadata: [String: String]) -> [UInt8] {
    var members: [(key: String, value: JSONValue)] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      members.append(("__metadata__", .object(pairs.map { ($0.key, .string($0.value)) })))
    }
    var offset = 0
    for tensor in tensors {
      let end = offset + tensor.bytes.count
      let entry = JSONValue.object([
        ("dtype", .string(tensor.dtype.rawValue)),
        ("shape", .array(tensor.shape.map { .integer($0) })),
        ("data_offsets", .array([.integer(offset), .integer(end)])),
      ])
      members.append((tensor.name, entry))
      offset = end
    }
    var bytes = JSONValue.object(members).compact
    // 8 bytes precede the header, so this also aligns the data to 8 bytes.
    while bytes.count % 8 != 0 { bytes.append(UInt8(ascii: " ")) }
    return bytes
  }
}
