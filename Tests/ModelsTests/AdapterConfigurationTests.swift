import Files
import Foundation
import Layers
import Testing

@testable import Checkpoints
@testable import Models
@testable import Tensors

/// The keys of `adapter_config.json`, compared with a snapshot of PEFT's class
/// (`peft_configuration.py`), and adapters that replace one side of a tie (`generate_lora.py`).
@Suite struct AdapterConfigurationTests {
  let workspace = Workspace()

  private static func snapshot() throws -> [String: ConfigurationValue] {
    let file = try ConfigurationFile.fields(GoldenTests.path("peft_configuration.json"))
    guard case .map(let keys)? = file.values["keys"] else { return [:] }
    return keys
  }

  @Test func everyKeyOfPEFTIsListed() throws {
    let names = AdapterConfiguration.keys.flatMap(\.names)
    let keys = try Self.snapshot().keys
    #expect(keys.count > 40 && keys.filter { !names.contains($0) }.isEmpty)
    #expect(names.count == Set(names).count)
    for key in AdapterConfiguration.keys {
      if case .irrelevant(let reason) = key.use { #expect(reason.count > 10, "\(key.names)") }
    }
  }

  /// A file that has only the keys without which there is no adapter.
  private static func read(_ more: [String: ConfigurationValue]) throws -> AdapterConfiguration {
    let folder = try Folder()
    let json: [String: ConfigurationValue] = [
      "peft_type": .text("LORA"), "base_model_name_or_path": .text("base"),
      "target_modules": .list([.text("q_proj")]),
    ]
    let bytes = ConfigurationFile.bytes(json.merging(more) { $1 })
    try folder.write(Array(bytes), to: "\(folder.path)/adapter_config.json")
    return try AdapterConfiguration(folder: folder.path)
  }

  /// Without targets the tensors of the adapter would be left out.
  @Test(arguments: [ConfigurationValue.null, .list([])])
  func anAdapterWithoutTargetsIsRefused(targets: ConfigurationValue) throws {
    let error = try #require(throws: ModelError.self) { try Self.read(["target_modules": targets]) }
    #expect("\(error)".contains("target_modules without a module"), "\(error)")
  }

  @Test func missingKeysHaveThePEFTsDefaults() throws {
    let written = try Self.read([:]).json
    let set: Set = ["peft_type", "base_model_name_or_path", "target_modules", "inference_mode"]
    let common = try Self.snapshot().filter { written[$0.key] != nil && !set.contains($0.key) }
    for (key, value) in common {
      let found = try ConfigurationFile.fields(ConfigurationFile.bytes(written), path: "").values
      #expect(found[key] == value, "\(key)")
    }
    #expect(common.count >= 8)
    // All of PEFT's defaults at once are admitted.
    var defaults = try Self.snapshot()
    for key in set { defaults[key] = nil }
    #expect(try Self.read(defaults) == Self.read([:]))
  }

  @Test(arguments: [
    ("init_lora_weights", ConfigurationValue.text("pissa")),
    ("init_lora_weights", .text("pissa_niter_16")), ("init_lora_weights", .text("olora")),
    ("init_lora_weights", .text("corda")), ("init_lora_weights", .text("loftq")),
    ("init_lora_weights", .text("lora_ga")), ("task_type", .text("QUESTION_ANS")),
    ("megatron_config", .map(["a": .integer(1)])), ("target_parameters", .list([.text("w")])),
    ("a_variant_of_tomorrow", .flag(true)), ("lora_bias", .flag(true)),
  ])
  func valuesThatMeanAnotherModelAreRefused(key: String, value: ConfigurationValue) throws {
    let error = try #require(throws: ModelError.self) { try Self.read([key: value]) }
    #expect("\(error)".contains("adapter_config.json has \(key) "))
  }

  /// PEFT fails on these nulls too.
  @Test(arguments: ["lora_alpha", "r", "lora_dropout", "bias"])
  func nullIsNoValue(of key: String) throws {
    let error = try #require(throws: ModelError.self) { try Self.read([key: .null]) }
    #expect("\(error)".contains("\(key) is null, where a value is needed"), "\(error)")
  }

  @Test(arguments: ["gaussian", "eva", "orthogonal", "mica"])
  func initializationsOfTheAdapterAloneAreRead(name: String) throws {
    _ = try Self.read([
      "init_lora_weights": .text(name), "a_variant_of_tomorrow": .null, "another": .flag(false),
    ])
  }

  private func logits(of model: LoadedModel, _ ids: [Int32], sequences: Int) -> [Float] {
    workspace.bind(model.layout, values: model.parameters, model.configuration.build)
      .logits(ids, ForwardPass(sequences: sequences)).values
  }

  /// PEFT unties an embedding or a head that an adapter has in full, unless told to tie them.
  @Test(arguments: [
    ("lora-embedding", "llama-gqa", false), ("lora-embedding-tied", "llama-gqa", true),
    ("lora-head", "gpt2-tied", false), ("lora-norm", "llama-gqa", true),
  ])
  func embeddingsAndHeadsSavedInFullOpenAsInPEFT(name: String, base: String, isTied: Bool) throws {
    let golden = try GoldenFile(name)
    let folder = try Folder()
    _ = try folder.copy(golden: base)
    let path = try folder.copy(golden: name, hasTokenizer: false)
    let model = try LoadedModel(path: path)
    #expect(model.configuration.tied == isTied)
    let logits = logits(
      of: model, try golden.integers("input_ids"), sequences: try golden.sequences())
    #expect(worstError(logits, try golden.floats("logits")) <= 5e-6)
  }

  /// The folder of an adapter that trains a tied embedding opens as the same model in Apus and, with
  /// the head that PEFT needs, without the `config.json` that PEFT does not read.
  @Test(arguments: [("llama-gqa", "q_proj", "embed_tokens"), ("gpt2-tied", "c_attn", "wte")])
  func aTiedEmbeddingTrainedInFullIsWrittenForPEFT(
    name: String, target: String, embedding: String
  ) throws {
    let folder = try Folder()
    let start = try ModelFolder(path: try folder.copy(golden: name))
    let lora = LoRA(rank: 2, alpha: 4, targets: [target], modulesToSave: [embedding])
    let layout = try start.configuration.layout(lora).trainable
    let values = FlatBuffer(count: layout.count)
    for place in values.elements.indices { values.elements[place] = Float(place % 7) * 0.01 }
    let path = try folder.save(
      ModelFiles(
        configuration: start.configuration, layout: layout, tokenizer: start.tokenizer,
        base: AdapterBase(start)), values)
    let file = try SafeTensorsFile(path: "\(path)/adapter_model.safetensors")
    let head = try file.tensor(named: "base_model.model.lm_head.weight")
    let table = try #require(file.names.first { $0.hasSuffix("\(embedding).weight") })
    #expect(Array(head.bytes) == Array(try file.tensor(named: table).bytes))
    let adapter = try AdapterConfiguration(folder: path)
    #expect(adapter.tiesSavedEmbedding && adapter.lora.modulesToSave.contains("lm_head"))

    let model = try LoadedModel(path: path)
    let peft = "\(folder.path)/peft"
    try FileManager.default.createDirectory(atPath: peft, withIntermediateDirectories: true)
    for part in [AdapterConfiguration.fileName, AdapterConfiguration.weightsName] {
      try FileManager.default.copyItem(atPath: "\(path)/\(part)", toPath: "\(peft)/\(part)")
    }
    let other = try LoadedModel(path: peft)
    #expect(model.configuration.tied && other.configuration.tied)
    #expect(Array(model.parameters.elements) == Array(other.parameters.elements))
    let place = try #require(model.layout.entries.first { $0.isEmbedding }).range
    #expect(model.parameters.elements[place].allSatisfy { $0 < 0.07 && $0 >= 0 })
  }
}
