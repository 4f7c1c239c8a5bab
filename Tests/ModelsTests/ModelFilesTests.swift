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
    // A mask buffer, as older files carry it.
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
  @Test func namesOfTheFirstPublicationAreKnown() throws {
    let golden = GoldenTests.path("gpt2-tied")
    let layout = try ConfigurationFile.read("\(golden)/config.json").layout
    let expected = try ModelFiles.read(folder: golden, layout: layout)
    let folder = try Folder()
    try copy("gpt2-tied", to: folder) { String($0.trimmingPrefix("transformer.")) }
    let read = try ModelFiles.read(folder: folder.path, layout: layout)
    #expect(Array(read.elements) == Array(expected.elements))
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

  /// A configuration that asks for more than the weights hold is refused before memory is taken.
  @Test func aHugeConfigurationTakesNoMemory() throws {
    let huge = try GPT2Configuration(
      vocabulary: 1 << 22, context: 1 << 20, layers: 2, heads: 1, width: 1 << 17, endOfText: 0)
    let layout = huge.layout
    #expect(layout.count > 1 << 38)
    #expect(throws: CheckpointError.self) {
      try ModelFiles.read(folder: GoldenTests.path("gpt2-tied"), layout: layout)
    }
  }
}
