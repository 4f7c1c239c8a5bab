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
    var fields: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        .map { "\(quoted($0.key)):\(quoted($0.value))" }
      fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var offset = 0
    for tensor in tensors {
      let end = offset + tensor.bytes.count
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      fields.append(
        """
        \(quoted(tensor.name)):{"dtype":"\(tensor.dtype.rawValue)","shape":[\(shape)],\
        "data_offsets":[\(offset),\(end)]}
        """)
      offset = end
    }
    var bytes = Array("{\(fields.joined(separator: ","))}".utf8)
    // 8 bytes precede the header, so this also aligns the data to 8 bytes.
    while bytes.count % 8 != 0 { bytes.append(UInt8(ascii: " ")) }
    return bytes
  }

  /// Returns a JSON string with the escapes of Hugging Face's writer (serde_json).
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\u{08}": result += "\\b"
      case "\u{0C}": result += "\\f"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\u{00}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
