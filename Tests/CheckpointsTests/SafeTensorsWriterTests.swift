import Files
import Foundation
import TestFolders
import Testing

@testable import Checkpoints

@Suite struct SafeTensorsWriterTests {
  /// The bytes that Hugging Face's writer produces (Python safetensors 0.8.0, numpy 2).
  ///
  /// ```python
  /// safetensors.numpy.save({
  ///   "weight": np.array([[1, 2, 3], [4, 5, 6]], dtype=np.float32),
  ///   "ids": np.array([7, -1], dtype=np.int16), "mask": np.array([True, False, True])},
  ///   metadata={"format": "pt"})
  /// ```
  static let golden: [UInt8] =
    [0xD8, 0, 0, 0, 0, 0, 0, 0]
    + Array(
      """
      {"__metadata__":{"format":"pt"},"weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},\
      "ids":{"dtype":"I16","shape":[2],"data_offsets":[24,28]},\
      "mask":{"dtype":"BOOL","shape":[3],"data_offsets":[28,31]}}
      """.utf8)
    + [UInt8](repeating: 0x20, count: 7)
    + [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40, 0, 0, 0x40, 0x40, 0, 0, 0x80, 0x40, 0, 0, 0xA0, 0x40]
    + [0, 0, 0xC0, 0x40, 7, 0, 0xFF, 0xFF, 1, 0, 1]

  private func write(
    _ folder: TemporaryFolder, _ tensors: [SafeTensor], metadata: [String: String] = [:]
  ) throws -> FileRecord {
    var file = try DurableFile(creating: folder("a"))
    let writer = SafeTensorsWriter(tensors, metadata: metadata)
    try writer.write(to: &file)
    let record = try file.close()
    #expect(record.size == writer.byteCount)
    return record
  }

  @Test func bytesEqualThoseOfHuggingFace() throws {
    let folder = try TemporaryFolder()
    let weights: [Float] = [1, 2, 3, 4, 5, 6]
    let ids: [Int16] = [7, -1]
    let mask = [true, false, true]
    try weights.withUnsafeBytes { weights in
      try ids.withUnsafeBytes { ids in
        try mask.withUnsafeBytes { mask in
          _ = try write(
            folder,
            [
              SafeTensor(name: "weight", dtype: .f32, shape: [2, 3], bytes: weights),
              SafeTensor(name: "ids", dtype: .i16, shape: [2], bytes: ids),
              SafeTensor(name: "mask", dtype: .bool, shape: [3], bytes: mask),
            ], metadata: ["format": "pt"])
        }
      }
    }
    #expect(try folder.read("a") == Self.golden)
    let file = try SafeTensorsFile(path: folder("a"))
    #expect(file.names == ["weight", "ids", "mask"])
    #expect(file.metadata == ["format": "pt"])
    let weight = try file.tensor(named: "weight")
    #expect(weight.dtype == .f32 && weight.shape == [2, 3])
    #expect(weights.withUnsafeBytes { $0.elementsEqual(weight.bytes) })
    #expect(try Array(file.tensor(named: "mask").bytes) == [1, 0, 1])
  }

  @Test(arguments: SafeTensor.DType.allCases)
  func everyTypeIsReadBack(dtype: SafeTensor.DType) throws {
    let folder = try TemporaryFolder()
    let bytes = (0..<(6 * dtype.size)).map { UInt8($0) }
    try bytes.withUnsafeBytes { bytes in
      _ = try write(
        folder,
        [
          SafeTensor(name: "m", dtype: dtype, shape: [2, 3], bytes: bytes),
          SafeTensor(
            name: "s", dtype: dtype, shape: [],
            bytes: UnsafeRawBufferPointer(rebasing: bytes[..<dtype.size])),
          SafeTensor(name: "e", dtype: dtype, shape: [3, 0], bytes: .init(start: nil, count: 0)),
        ])
    }
    let file = try SafeTensorsFile(path: folder("a"))
    // In data order the empty tensor keeps its place in the header: both start at the end.
    #expect(file.names == ["m", "s", "e"])
    let tensor = try file.tensor(named: "m")
    #expect(tensor.dtype == dtype && tensor.shape == [2, 3] && Array(tensor.bytes) == bytes)
    #expect(try Array(file.tensor(named: "s").bytes) == Array(bytes.prefix(dtype.size)))
    #expect(try file.tensor(named: "e").bytes.isEmpty)
  }

  @Test func everyNameIsReadBack() throws {
    let folder = try TemporaryFolder()
    let names = ["", "a.b/c", "\"\\\u{0}\u{8}\u{C}\n\r\t\u{1F}\u{7F}", "é", "鸟🐦", "__metadata"]
    let metadata = Dictionary(uniqueKeysWithValues: names.map { ($0, String($0.reversed())) })
    let value: [UInt8] = [9]
    try value.withUnsafeBytes { value in
      let tensors = names.map { SafeTensor(name: $0, dtype: .u8, shape: [1], bytes: value) }
      _ = try write(folder, tensors, metadata: metadata)
    }
    let file = try SafeTensorsFile(path: folder("a"))
    #expect(file.names == names)
    #expect(file.metadata == metadata)
  }

  @Test func outputIsDeterministicAndAligned() throws {
    let folder = try TemporaryFolder()
    let keys = (0..<40).map { "key\($0)" }
    let metadata = Dictionary(uniqueKeysWithValues: keys.map { ($0, $0) })
    let reversed = Dictionary(uniqueKeysWithValues: keys.reversed().map { ($0, $0) })
    let first = try write(folder, [], metadata: metadata)
    #expect(try write(folder, [], metadata: reversed) == first)
    #expect(first.size % 8 == 0)
    let text = String(decoding: try folder.read("a").dropFirst(8), as: UTF8.self)
    let positions = try keys.sorted().map { try #require(text.range(of: "\"\($0)\":")).lowerBound }
    #expect(positions == positions.sorted())
  }
}
