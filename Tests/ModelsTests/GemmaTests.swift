import Foundation
import Layers
import Testing

@testable import Models

/// The `config.json` of Gemma in the forms of transformers 4 and 5.
@Suite struct GemmaTests {
  private static func read(_ text: String, _ changes: [String: ConfigurationValue] = [:]) throws
    -> GemmaConfiguration
  {
    let json = try ConfigurationFile.fields(Data(text.utf8), path: "config.json").values
    let changed = ConfigurationFile.bytes(json.merging(changes) { $1 })
    return try #require(
      try ConfigurationFile.parse(changed, path: "there/config.json") as? GemmaConfiguration)
  }

  /// google/gemma-2b as published.
  private static let gemma2B = """
    {"architectures": ["GemmaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
     "bos_token_id": 2, "eos_token_id": 1, "head_dim": 256, "hidden_act": "gelu",
     "hidden_activation": null, "hidden_size": 2048, "initializer_range": 0.02,
     "intermediate_size": 16384, "max_position_embeddings": 8192, "model_type": "gemma",
     "num_attention_heads": 8, "num_hidden_layers": 18, "num_key_value_heads": 1,
     "pad_token_id": 0, "rms_norm_eps": 1e-06, "rope_scaling": null, "rope_theta": 10000.0,
     "torch_dtype": "bfloat16", "transformers_version": "4.38.0", "use_cache": true,
     "vocab_size": 256000}
    """

  /// google/gemma-3-1b-it as published.
  private static let gemma31B = """
    {"architectures": ["Gemma3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
     "attn_logit_softcapping": null, "bos_token_id": 2, "cache_implementation": "hybrid",
     "eos_token_id": [1, 106], "final_logit_softcapping": null, "head_dim": 256,
     "hidden_activation": "gelu_pytorch_tanh", "hidden_size": 1152, "initializer_range": 0.02,
     "intermediate_size": 6912, "max_position_embeddings": 32768, "model_type": "gemma3_text",
     "num_attention_heads": 4, "num_hidden_layers": 26, "num_key_value_heads": 1,
     "pad_token_id": 0, "query_pre_attn_scalar": 256, "rms_norm_eps": 1e-06,
     "rope_local_base_freq": 10000, "rope_scaling": null, "rope_theta": 1000000,
     "sliding_window": 512, "sliding_window_pattern": 6, "torch_dtype": "bfloat16",
     "transformers_version": "4.50.0.dev0", "use_cache": true, "vocab_size": 262144}
    """

  @Test func publishedModelsHaveTheirNumbersOfParameters() throws {
    let (one, three) = (try Self.read(Self.gemma2B), try Self.read(Self.gemma31B))
    #expect(one.layout.parameterCount == 2_506_172_416)
    #expect(three.layout.parameterCount == 999_885_952)
    #expect(one.tied && three.tied && one.padding == 0)
    #expect(one.beginningOfText == 2 && three.ends == [1, 106])
    #expect(one.scoreScale == 1.0 / 16 && three.scoreScale == 1.0 / 16)
    #expect((0..<18).allSatisfy { !one.isLocal(block: $0) })
    #expect((0..<26).allSatisfy { three.isLocal(block: $0) == ![5, 11, 17, 23].contains($0) })
    #expect(three.globalRotary.base == 1_000_000 && three.localRotary.base == 10_000)
    #expect(three.window == 512)
  }

  /// Both releases of transformers find their keys in a written file.
  @Test func keysOfTransformers4And5AreWritten() throws {
    let scaling: [String: ConfigurationValue] = [
      "rope_type": .text("linear"), "factor": .number(8.5),
    ]
    let model = try Self.read(Self.gemma31B, ["rope_scaling": .map(scaling)])
    let json = model.json
    #expect(json["rope_theta"] == .number(1_000_000))
    #expect(json["rope_local_base_freq"] == .number(10_000))
    #expect(json["rope_scaling"] == .map(scaling))
    #expect(
      json["rope_parameters"]
        == .map([
          "full_attention": .map(scaling.merging(["rope_theta": .number(1_000_000)]) { $1 }),
          "sliding_attention": .map([
            "rope_type": .text("default"), "rope_theta": .number(10_000),
          ]),
        ]))
    #expect(json["sliding_window_pattern"] == .integer(6))
    #expect(
      json["layer_types"]
        == .list(
          model.isLocal.map {
            .text($0 ? "sliding_attention" : "full_attention")
          }))
    #expect(json["hidden_act"] == nil && json["hidden_activation"] == .text("gelu_pytorch_tanh"))
    // Either form alone gives the same model.
    for absent in [["rope_theta", "rope_local_base_freq", "rope_scaling"], ["rope_parameters"]] {
      let part = json.filter { !absent.contains($0.key) }
      let again = try ConfigurationFile.parse(ConfigurationFile.bytes(part), path: "config.json")
      #expect(again as? GemmaConfiguration == model)
    }
    let first = try Self.read(Self.gemma2B).json
    #expect(first["hidden_act"] == .text("gelu_pytorch_tanh"))
    #expect(first["sliding_window"] == nil && first["query_pre_attn_scalar"] == nil)
  }

  @Test func layersWithoutAPatternAreListed() throws {
    let model = try Self.read(
      Self.gemma31B,
      [
        "num_hidden_layers": .integer(3), "sliding_window_pattern": .null,
        "layer_types": .list([
          .text("full_attention"), .text("sliding_attention"), .text("full_attention"),
        ]),
      ])
    #expect(model.isLocal == [false, true, false])
    #expect(model.json["sliding_window_pattern"] == nil)
  }

  /// A new model has a global block, however few blocks it has.
  @Test func newModelsEndWithAGlobalBlock() throws {
    for layers in [1, 4, 6, 14] {
      var new = NewModel(family: .gemma3)
      new.layers = layers
      let model = try #require(
        try new.configuration(NewModelIds(count: 300, endOfText: 1) { _ in nil })
          as? GemmaConfiguration)
      let global = model.isLocal.indices.filter { !model.isLocal[$0] }
      #expect(global == (layers == 14 ? [5, 11, 13] : [layers - 1]))
    }
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let key: String
    let value: ConfigurationValue
    var testDescription: String { "\(key) \(value.text)" }
  }

  static let refusals = [
    Refusal(key: "attn_logit_softcapping", value: .number(50)),
    Refusal(key: "final_logit_softcapping", value: .number(30)),
    Refusal(key: "use_bidirectional_attention", value: .flag(true)),
    Refusal(key: "hidden_activation", value: .text("silu")),
    Refusal(key: "layer_types", value: .list([.text("full_attention")])),
    Refusal(
      key: "layer_types",
      value: .list(.init(repeating: .text("chunked_attention"), count: 26))),
    Refusal(key: "sliding_window", value: .integer(0)),
    Refusal(key: "query_pre_attn_scalar", value: .integer(0)),
    Refusal(key: "head_dim", value: .integer(5)),
    Refusal(
      key: "rope_parameters",
      value: .map([
        "sliding_attention": .map(["rope_type": .text("linear"), "factor": .number(2)])
      ])),
    Refusal(key: "rope_parameters", value: .text("x")),
    Refusal(key: "rope_parameters", value: .map(["rope_theta": .number(500)])),
    Refusal(key: "rope_parameters", value: .map(["full_atention": .map([:])])),
    Refusal(key: "rope_parameters", value: .map(["full_attention": .integer(3)])),
    Refusal(key: "rope_scaling", value: .text("linear")),
    Refusal(key: "rope_scaling", value: .map(["rope_typ": .text("linear"), "factor": .number(8)])),
    Refusal(key: "model_type", value: .text("gemma2")),
    // transformers 5.24 prefers the list, and transformers 4.50 knows only the distance.
    Refusal(key: "layer_types", value: .list(.init(repeating: .text("full_attention"), count: 26))),
    // transformers 5 prefers the map of maps, transformers 4 the keys beside it.
    Refusal(
      key: "rope_parameters",
      value: .map([
        "full_attention": .map(["rope_type": .text("default"), "rope_theta": .number(500)])
      ])),
    Refusal(
      key: "rope_parameters",
      value: .map([
        "sliding_attention": .map(["rope_type": .text("default"), "rope_theta": .number(500)])
      ])),
    Refusal(key: "rope_scaling", value: .map(["rope_type": .text("linear")])),
  ]

  @Test(arguments: refusals) func unsupportedValuesAreRefusedByName(_ refusal: Refusal) throws {
    let error = try #require(throws: ModelError.self) {
      try Self.read(Self.gemma31B, [refusal.key: refusal.value])
    }
    #expect(error.description.hasPrefix("there/config.json "), "\(error)")
    // For a map, the error may name the key within it.
    var names = [refusal.key]
    if case .map(let map) = refusal.value { names += map.keys }
    #expect(names.contains { error.description.contains($0) }, "\(error)")
  }

  /// The key of one release beside a contradicting one of the other.
  @Test func contradictingKeysAreNamed() throws {
    func sentence(_ text: String, _ changes: [String: ConfigurationValue]) throws -> String {
      try #require(throws: ModelError.self) { try Self.read(text, changes) }.description
    }
    let linear = ConfigurationValue.map(["rope_type": .text("linear"), "factor": .number(8)])
    let plain = ConfigurationValue.map(["rope_type": .text("default")])
    let whole = "there/config.json does not describe a model: "
    let end = " contradict each other; remove the one with which the model was not trained."
    #expect(
      try sentence(Self.gemma2B, ["rope_scaling": linear, "rope_parameters": plain])
        == whole + "rope_scaling and rope_parameters" + end)
    #expect(
      try sentence(
        Self.gemma31B,
        ["rope_scaling": linear, "rope_parameters": .map(["full_attention": plain])])
        == whole + "rope_scaling and rope_parameters.full_attention" + end)
    #expect(
      try sentence(Self.gemma2B, ["rope_parameters": .map(["rope_theta": .number(5)])])
        == whole + "rope_theta and rope_parameters.rope_theta" + end)
    #expect(
      try sentence(Self.gemma31B, ["sliding_window_pattern": .integer(0)])
        .hasPrefix(whole + "sliding_window_pattern is 0"))
    #expect(
      try sentence(
        Self.gemma31B,
        ["layer_types": .list(.init(repeating: .text("sliding_attention"), count: 26))])
        == whole + "layer_types and sliding_window_pattern" + end)
    #expect(
      try sentence(Self.gemma2B, ["rope_scaling": .map(["type": .text("linear")])])
        == whole + "the key rope_scaling.factor is missing.")
    // Keys that agree are accepted.
    let both = try Self.read(
      Self.gemma2B,
      [
        "rope_scaling": linear,
        "rope_parameters": .map([
          "rope_type": .text("linear"), "factor": .number(8), "rope_theta": .number(10_000),
        ]),
      ])
    #expect(both.globalRotary.scaling == .linear(factor: 8))
  }
}
