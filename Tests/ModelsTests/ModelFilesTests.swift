import Files
import Foundation
import Models
import Testing

@testable import Checkpoints
@testable import Tensors

@Suite struct ModelFilesTests {
  /// Copies the weights of a golden folder, each tensor renamed; nil leaves one out.
  private func copy(_ name: String, to folder: Folder, renaming: (String) -> String?) throws {
    let source = try SafeTensorsFile(path: GoldenTests.path("\(name)/model.safetensors"))
    var tensors: [SafeTensor] = []
    for name in source.names {
      let tensor = try source.tensor(named: name)
      guard let new = renaming(name) else { continue }
      tensors.append(
        SafeTensor(name: new, dtype: tensor.dtype, shape: tensor.shape, bytes: tensor.bytes))
    }
    // A mask buffer, as in older files.
    let mask: [UInt8] = [1, 0, 1, 1]
    try mask.withUnsafeBytes { bytes in
      tensors.append(
        SafeTensor(name: "h.0.attn.bias", dtype: .bool, shape: [1, 1, 2, 2], bytes: bytes))
      var file = try DurableFile(creating: "\(folder.path)/model.safetensors")
      try SafeTensorsWriter(tensors).write(to: &file)
      _ = try file.close()
    }
  }

  /// The first GPT-2 was published without the prefix, and with its masks.
  @Test func tensorNamesOfTheFirstGPT2AreRead() throws {
    let golden = GoldenTests.path("gpt2-tied")
    let layout = try ConfigurationFile.read("\(golden)/config.json").layout
    let expected = try ModelFiles.read(folder: golden, layout: layout)
    let folder = try Folder()
    try copy("gpt2-tied", to: folder) { String($0.trimmingPrefix("transformer.")) }
    let read = try ModelFiles.read(folder: folder.path, layout: layout)
    #expect(Array(read.elements) == Array(expected.elements))
  }

  /// Writes a golden folder's weights in shards with an index, as 16-bit numbers of `dtype`.
  private func shard(_ name: String, to folder: Folder, _ dtype: SafeTensor.DType) throws {
    let source = try SafeTensorsFile(path: GoldenTests.path("\(name)/model.safetensors"))
    var map: [String: String] = [:]
    for shard in 0..<3 {
      let file = "model-0000\(shard + 1)-of-00003.safetensors"
      let names = source.names.enumerated().filter { $0.offset % 3 == shard }.map(\.element)
      let halves = try names.map { name in
        let tensor = try source.tensor(named: name)
        return (0..<tensor.bytes.count / 4).map { index -> UInt16 in
          let value = tensor.bytes.loadUnaligned(fromByteOffset: 4 * index, as: Float.self)
          return dtype == .f16
            ? Float16(value).bitPattern : UInt16(truncatingIfNeeded: value.bitPattern >> 16)
        }
      }
      var writer = try DurableFile(creating: "\(folder.path)/\(file)")
      let buffers = halves.map { half in
        let buffer = UnsafeMutableBufferPointer<UInt16>.allocate(capacity: half.count)
        _ = buffer.initialize(from: half)
        return buffer
      }
      defer { buffers.forEach { $0.deallocate() } }
      let tensors = try zip(names, buffers).map { name, buffer in
        SafeTensor(
          name: name, dtype: dtype, shape: try source.tensor(named: name).shape,
          bytes: UnsafeRawBufferPointer(buffer))
      }
      try SafeTensorsWriter(tensors).write(to: &writer)
      _ = try writer.close()
      for name in names { map[name] = file }
    }
    try write(map, to: folder)
  }

  private func write(_ map: [String: String], to folder: Folder) throws {
    try JSONEncoder().encode(["weight_map": map]).write(
      to: URL(fileURLWithPath: "\(folder.path)/model.safetensors.index.json"))
  }

  @Test(arguments: [SafeTensor.DType.f16, .bf16])
  func shardsOf16BitNumbersAreRead(dtype: SafeTensor.DType) throws {
    let golden = GoldenTests.path("llama-gqa")
    let layout = try ConfigurationFile.read("\(golden)/config.json").layout
    let expected = try ModelFiles.read(folder: golden, layout: layout)
    let folder = try Folder()
    try shard("llama-gqa", to: folder, dtype)
    let read = try ModelFiles.read(folder: folder.path, layout: layout)
    for (value, exact) in zip(read.elements, expected.elements) {
      let rounded =
        dtype == .f16 ? Float(Float16(exact)) : Float(bitPattern: (exact.bitPattern >> 16) << 16)
      #expect(value == rounded)
    }
  }

  /// An index is untrusted: the files that it names are checked before they are opened.
  @Test(arguments: [
    (["a": "../elsewhere.safetensors"], "not a file of this folder"),
    (["a": "/etc/passwd"], "not a file of this folder"),
    (["a": ".hidden"], "not a file of this folder"),
    (["lm_head.weight": "model-00001-of-00003.safetensors"], "which does not hold it"),
  ])
  func aWrongIndexIsRefused(map: [String: String], reason: String) throws {
    let folder = try Folder()
    try shard("llama-gqa", to: folder, .bf16)
    try write(map, to: folder)
    let layout = try ConfigurationFile.read(GoldenTests.path("llama-gqa/config.json")).layout
    let error = try #require(throws: CheckpointError.self) {
      try ModelFiles.read(folder: folder.path, layout: layout)
    }
    #expect("\(error)".contains(reason), "\(error)")
  }

  @Test func unusedTensorsAreNamed() throws {
    let layout = try ConfigurationFile.read(GoldenTests.path("gpt2-tied/config.json")).layout
    let folder = try Folder()
    try copy("gpt2-tied", to: folder) { $0 }
    let weights = try ModelFiles.readAll(folder: folder.path, layout: layout)
    #expect(weights.unused == ["h.0.attn.bias"])
    #expect(weights.notes("there") == ["there holds h.0.attn.bias, which is not used."])
  }

  /// A network that lacks a part of the layers in the file is another model.
  @Test func unusedTensorsOfLayersAreRefused() throws {
    let folder = try Folder()
    let path = try folder.copy(golden: "gemma3")
    try folder.replace("gemma3_text", by: "gemma", in: "\(path)/config.json")
    try folder.replace("\"rope_parameters\"", by: "\"unread\"", in: "\(path)/config.json")
    let layout = try ConfigurationFile.read("\(path)/config.json").layout
    let error = try #require(throws: CheckpointError.self) {
      try ModelFiles.read(folder: path, layout: layout)
    }
    #expect(
      "\(error)".contains(
        "model.layers.0.post_feedforward_layernorm.weight is not part of the configured model"),
      "\(error)")
  }

  @Test func everyMissingOrMisshapedTensorIsNamed() throws {
    let layout = try ConfigurationFile.read(GoldenTests.path("llama-mha/config.json")).layout
    let folder = try Folder()
    try copy("llama-mha", to: folder) { name in
      switch name {
      case "model.norm.weight": nil
      case "model.layers.0.mlp.up_proj.weight": "model.layers.0.mlp.down_proj.weight"
      case "model.layers.0.mlp.down_proj.weight": "model.layers.0.mlp.up_proj.weight"
      default: name
      }
    }
    let values = FlatBuffer(count: layout.count)
    let error = try #require(throws: CheckpointError.self) {
      try ModelFiles.read(folder: folder.path, layout: layout, into: values.elements)
    }
    #expect(
      error
        == .otherModel(
          path: folder.path,
          faults: [
            "model.layers.0.mlp.up_proj.weight is F32 [16, 40], not F32 [40, 16]",
            "model.layers.0.mlp.down_proj.weight is F32 [40, 16], not F32 [16, 40]",
            "model.norm.weight is missing",
          ]))
    #expect(values.elements.allSatisfy { $0 == 0 })
  }

  /// A configuration larger than the weights is refused before memory is allocated.
  @Test func aHugeConfigurationAllocatesNoMemory() throws {
    let huge = try GPT2Configuration(
      vocabulary: 1 << 22, context: 1 << 20, layers: 2, heads: 1, width: 1 << 17, endOfText: 0)
    let layout = huge.layout
    #expect(layout.count > 1 << 38)
    #expect(throws: CheckpointError.self) {
      try ModelFiles.read(folder: GoldenTests.path("gpt2-tied"), layout: layout)
    }
  }
}
