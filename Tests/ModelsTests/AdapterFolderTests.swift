import Foundation
import Layers
import Models
import Testing
import Tokenizers

@testable import Checkpoints
@testable import Tensors

/// Adapter folders written by PEFT and by Apus.
@Suite struct AdapterFolderTests {
  let workspace = Workspace()

  /// A folder that PEFT wrote, next to its base, opens as the merged model.
  @Test(arguments: LoRAGoldenTests.cases) func foldersWrittenByPEFTOpenAsTheMergedModel(
    name: String
  ) throws {
    let golden = try GoldenFile(name)
    let folder = try Folder()
    let base = try folder.copy(golden: try AdapterConfiguration(folder: golden.folder).base)
    let loaded = try LoadedModel(path: try folder.copy(golden: name, hasTokenizer: false))
    let whole = try LoadedModel(path: base)
    #expect(loaded.layout == whole.layout)
    let network = workspace.bind(
      loaded.layout, values: loaded.parameters, loaded.configuration.build)
    let logits = network.logits(
      try golden.integers("input_ids"), ForwardPass(sequences: try golden.sequences()))
    #expect(worstError(logits.values, try golden.floats("merged")) <= 5e-6)
  }

  /// The backbone below a head that was trained with the adapter is that of the merged network.
  @Test func theEncoderOfAnAdapterIsThatOfTheMergedNetwork() throws {
    let folder = try Folder()
    _ = try folder.copy(golden: "llama-mha")
    let path = try folder.copy(golden: "lora-score", hasTokenizer: false)
    let (whole, base) = (
      try LoadedClassifier(path: path), try LoadedEncoder(path: "\(folder.path)/llama-mha")
    )
    let encoder = try LoadedEncoder(path: path)
    var changed = 0
    for (entry, own) in zip(encoder.layout.entries, base.layout.entries) {
      let same = try #require(whole.layout.entries.first { $0.name == entry.name })
      let values = Array(encoder.parameters.elements[entry.range])
      #expect(values == Array(whole.parameters.elements[same.range]), "\(entry.name)")
      if values != Array(base.parameters.elements[own.range]) { changed += 1 }
    }
    #expect(changed > 0 && encoder.layout.count < whole.layout.count)
  }

  private struct Saved {
    let folder: Folder
    let base: String
    let path: String

    /// A newly initialised adapter of a copy of `golden`, saved by Apus.
    init(_ golden: String, lora: LoRA, withValueHead: Bool = false) throws {
      folder = try Folder()
      base = try folder.copy(golden: golden)
      let start = try ModelFolder(path: base)
      let network: any NetworkConfiguration =
        withValueHead ? ValueHeadModelConfiguration(start.configuration) : start.configuration
      let layout = try network.layout(lora).trainable
      let values = FlatBuffer(count: layout.count)
      for place in values.elements.indices { values.elements[place] = Float(place % 7) * 0.01 }
      path = try folder.save(
        ModelFiles(
          configuration: network, layout: layout, tokenizer: start.tokenizer,
          base: AdapterBase(start)), values)
    }
  }

  private static let lora = LoRA(rank: 2, alpha: 4, targets: ["q_proj", "mlp.down_proj"])

  @Test func foldersWrittenByApusOpenAsTheMergedModel() throws {
    let saved = try Saved("llama-gqa", lora: Self.lora)
    let loaded = try LoadedModel(path: saved.path)
    let whole = try LoadedModel(path: saved.base)
    for (entry, same) in zip(loaded.layout.entries, whole.layout.entries) {
      let (own, other) = (
        Array(loaded.parameters.elements[entry.range]), Array(whole.parameters.elements[same.range])
      )
      #expect((own != other) == (entry.name.contains("q_proj") || entry.name.contains("down_proj")))
    }
  }

  /// An adapter whose base model is an adapter.
  @Test func theBaseMayBeAnAdapterItself() throws {
    let saved = try Saved("llama-gqa", lora: Self.lora)
    let start = try ModelFolder(path: saved.path)
    let layout = try start.configuration.layout(Self.lora).trainable
    let values = FlatBuffer(count: layout.count)
    for place in values.elements.indices { values.elements[place] = Float(place % 7) * 0.01 }
    let second = try Folder()
    let path = try second.save(
      ModelFiles(
        configuration: start.configuration, layout: layout, tokenizer: start.tokenizer,
        base: AdapterBase(start)), values)
    let (none, one, two) = (
      try LoadedModel(path: saved.base), try LoadedModel(path: saved.path),
      try LoadedModel(path: path)
    )
    let place = try #require(one.layout.entries.first { $0.name.contains("q_proj") }).range
    for element in place {
      let (first, second) = (
        one.parameters.elements[element] - none.parameters.elements[element],
        two.parameters.elements[element] - one.parameters.elements[element]
      )
      #expect(abs(first - second) < 1e-6)
    }
  }

  /// The value head is saved next to the files that transformers and PEFT open.
  @Test func theValueHeadHasAFileOfItsOwn() throws {
    var lora = Self.lora
    lora.modulesToSave = [ValueHeadModelConfiguration.headName]
    let saved = try Saved("llama-gqa", lora: lora, withValueHead: true)
    let adapter = try SafeTensorsFile(path: "\(saved.path)/adapter_model.safetensors")
    #expect(adapter.names.allSatisfy { $0.contains("lora_") })
    let head = try SafeTensorsFile(path: "\(saved.path)/value_head.safetensors")
    #expect(head.names == ["v_head.bias", "v_head.weight"])
    #expect(try AdapterConfiguration(folder: saved.path).lora.modulesToSave == [])
    // The folder is read without and with the value head.
    _ = try LoadedModel(path: saved.path)
    let start = try ModelFolder(path: saved.base)
    let layout = try ValueHeadModelConfiguration(start.configuration).layout(lora).trainable
    let values = try ModelFiles.read(folder: saved.path, layout: layout)
    let bias = try #require(layout.entries.first { $0.name == "v_head.bias" }).range.lowerBound
    #expect(values.elements[bias] == Float(bias % 7) * 0.01)
  }

  @Test func aChangedBaseIsRefused() throws {
    let saved = try Saved("llama-gqa", lora: Self.lora)
    let weights = "\(saved.base)/model.safetensors"
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: weights)))
    bytes[bytes.count - 2] ^= 1
    try saved.folder.write(bytes, to: weights)
    let error = try #require(throws: CheckpointError.self) { try LoadedModel(path: saved.path) }
    guard case .changedBase(saved.path, saved.base, _, _) = error else {
      Issue.record("\(error)")
      return
    }
  }

  @Test func aMissingBaseIsNamed() throws {
    let folder = try Folder()
    let path = try folder.copy(golden: "lora-llama")
    #expect(
      throws: CheckpointError.noModel(
        path: path,
        reason: "its adapter_config.json names the base llama-gqa, which is not a folder here"
      )
    ) { try LoadedModel(path: path) }
  }

  @Test(arguments: [
    ("\"use_dora\": false", "\"use_dora\": true"), ("\"bias\": \"none\"", "\"bias\": \"all\""),
    ("\"rank_pattern\": {}", "\"rank_pattern\": {\"q_proj\": 8}"),
    ("\"peft_type\": \"LORA\"", "\"peft_type\": \"IA3\""),
  ])
  func unsupportedSettingsAreRefused(old: String, new: String) throws {
    let folder = try Folder()
    _ = try folder.copy(golden: "llama-gqa")
    let path = try folder.copy(golden: "lora-llama")
    try folder.replace(old, by: new, in: "\(path)/adapter_config.json")
    let error = try #require(throws: ModelError.self) { try LoadedModel(path: path) }
    guard case .unsupported = error else {
      Issue.record("\(error)")
      return
    }
  }

  /// Adapters in the file that the configuration does not list would be ignored, which would give
  /// another model.
  @Test func adaptersOutsideTheConfigurationAreRefused() throws {
    let folder = try Folder()
    _ = try folder.copy(golden: "llama-gqa")
    let path = try folder.copy(golden: "lora-llama")
    try folder.replace("(q|v|down)", by: "(q|v)", in: "\(path)/adapter_config.json")
    let error = try #require(throws: CheckpointError.self) { try LoadedModel(path: path) }
    let expected = "layers.0.mlp.down_proj.lora_A.weight is not part of the configured adapter"
    #expect("\(error)".contains(expected))
  }
}
