import Files

// The safetensors format (https://github.com/huggingface/safetensors, no version number):
//
//   8 bytes   N, the length of the header, unsigned little-endian, at most 100,000,000
//   N bytes   JSON, starts with {, may end in spaces:
//               {"__metadata__": {"key": "text", …},
//                "NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [BEGIN, END]}, …}
//   the rest  the data; offsets count from its start, tensors neither overlap nor leave holes
//
// There is no checksum: only the checkpoint's manifest detects a flipped data byte.

/// The checked contents of a header; no range in it exceeds the data.
struct SafeTensorsHeader {
  /// The longest header that Hugging Face's reader accepts, in bytes.
  static let maximumLength = 100_000_000

  /// The most dimensions of a tensor; NumPy's limit is as high.
  static let mostDimensions = 64

  struct Entry {
    let name: String
    let dtype: SafeTensor.DType
    let shape: [Int]
    let range: Range<Int>
  }

  /// The tensors in the order of their data.
  let entries: [Entry]
  let metadata: [String: String]

  /// Parses `json`, which describes `dataSize` bytes of data.
  init(parsing json: UnsafeRawBufferPointer, dataSize: Int, path: String) throws(CheckpointError) {
    guard json.first == UInt8(ascii: "{") else {
      throw .badSafeTensors(path: path, reason: "its header does not start with {")
    }
    let (entries, metadata): ([Entry], [String: String])
    do {
      (entries, metadata) = try Self.contents(of: json)
    } catch {
      throw .badSafeTensors(
        path: path, reason: "\(error.reason) at byte \(error.offset) of its header")
    }

    // Sort by data offset; empty tensors, which may share an offset, keep the header's order.
    let order = entries.indices.sorted {
      let (a, b) = (entries[$0].range, entries[$1].range)
      return (a.lowerBound, a.upperBound, $0) < (b.lowerBound, b.upperBound, $1)
    }
    var end = 0
    for index in order {
      let entry = entries[index]
      guard entry.range.lowerBound == end else {
        let fault = entry.range.lowerBound < end ? "overlaps another tensor" : "leaves a hole"
        throw .badSafeTensors(path: path, reason: "the data of \(entry.name) \(fault)")
      }
      end = entry.range.upperBound
    }
    guard end == dataSize else {
      throw .badSafeTensors(
        path: path, reason: "its tensors take \(end) bytes and the file holds \(dataSize)")
    }
    self.entries = order.map { entries[$0] }
    self.metadata = metadata
  }

  private static func contents(
    of json: UnsafeRawBufferPointer
  ) throws(JSONSyntaxError) -> ([Entry], [String: String]) {
    var entries: [Entry] = []
    var metadata: [String: String] = [:]
    var names: Set<String> = []
    var scanner = JSONScanner(json)
    try scanner.object { (scanner, name) throws(JSONSyntaxError) in
      guard names.insert(name).inserted else {
        throw scanner.failure("the name \(name) appears twice")
      }
      if name == "__metadata__" {
        metadata = try Self.metadata(&scanner)
      } else {
        entries.append(try Self.entry(&scanner, name: name))
      }
    }
    try scanner.expectEnd()
    return (entries, metadata)
  }

  private static func metadata(
    _ scanner: inout JSONScanner
  ) throws(JSONSyntaxError) -> [String: String] {
    var result: [String: String] = [:]
    try scanner.object { (scanner, key) throws(JSONSyntaxError) in
      guard result.updateValue(try scanner.string(), forKey: key) == nil else {
        throw scanner.failure("the metadata key \(key) appears twice")
      }
    }
    return result
  }

  private static func entry(
    _ scanner: inout JSONScanner, name: String
  ) throws(JSONSyntaxError) -> Entry {
    var type: String?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.object { (scanner, key) throws(JSONSyntaxError) in
      switch key {
      case "dtype" where type == nil: type = try scanner.string()
      case "shape" where shape == nil: shape = try scanner.integers()
      case "data_offsets" where offsets == nil: offsets = try scanner.integers()
      default: throw scanner.failure("unexpected field \(key) of tensor \(name)")
      }
    }
    guard let type, let shape, let offsets else {
      throw scanner.failure("tensor \(name) lacks its dtype, shape or data_offsets")
    }
    guard shape.count <= Self.mostDimensions else {
      throw scanner.failure("tensor \(name) has \(shape.count) dimensions")
    }
    guard let dtype = SafeTensor.DType(rawValue: type) else {
      throw scanner.failure("tensor \(name) has the unknown dtype \(type.prefix(40))")
    }
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw scanner.failure("tensor \(name) has the impossible data_offsets \(offsets.prefix(4))")
    }
    guard dtype.byteCount(shape: shape) == offsets[1] - offsets[0] else {
      throw scanner.failure(
        "tensor \(name) of \(type) \(shape) does not fill its \(offsets[1] - offsets[0]) bytes")
    }
    return Entry(name: name, dtype: dtype, shape: shape, range: offsets[0]..<offsets[1])
  }
}
