import Foundation
import Testing

@testable import Models

@Suite struct ConfigurationFileTests {
  /// A configuration of each family in which no value is the default.
  static func samples() throws -> [any ModelConfiguration] {
    var gpt2 = try GPT2Configuration(
      vocabulary: 301, context: 48, layers: 3, heads: 2, width: 24, hidden: 40, dropout: 0.1,
      tied: false, endOfText: 7)
    gpt2.epsilon = 3e-4
    gpt2.initialStd = 0.05
    var llama = try LlamaConfiguration(
      vocabulary: 302, context: 40, layers: 2, heads: 6, keyHeads: 3, width: 48, hidden: 56,
      dropout: 0.3, tied: true, endOfText: 9)
    llama.epsilon = 2e-6
    llama.initialStd = 0.03
    llama.rotary.base = 500_000.5
    return [gpt2, llama]
  }

  private static func isEqual(_ a: any ModelConfiguration, _ b: any ModelConfiguration) -> Bool {
    func isOther<C: ModelConfiguration>(_ a: C) -> Bool { b as? C == a }
    return isOther(a)
  }

  private static func parse(_ json: [String: ConfigurationValue]) throws -> any ModelConfiguration {
    try ConfigurationFile.parse(ConfigurationFile.bytes(json), path: "there/config.json")
  }

  @Test func writtenConfigurationsAreReadBack() throws {
    for configuration in try Self.samples() {
      let bytes = ConfigurationFile.bytes(configuration)
      let read = try ConfigurationFile.parse(bytes, path: "config.json")
      #expect(Self.isEqual(configuration, read), "\(read) is not \(configuration)")
      #expect(ConfigurationFile.bytes(read) == bytes)
    }
  }

  @Test(arguments: GoldenTests.cases) func foldersOfTransformersAreReadBack(name: String) throws {
    let golden = try ConfigurationFile.read(GoldenTests.path("\(name)/config.json"))
    let read = try ConfigurationFile.parse(ConfigurationFile.bytes(golden), path: "config.json")
    #expect(Self.isEqual(golden, read))
  }

  /// transformers 4 and 5 use different keys for the same setting, and both have silent defaults.
  @Test func keysOfTransformers4And5AreWritten() throws {
    let gpt2 = try Self.samples()[0].json
    let llama = try Self.samples()[1].json
    for json in [gpt2, llama] {
      #expect(json["dtype"] == .text("float32"))
      #expect(json["torch_dtype"] == .text("float32"))
      #expect(json["bos_token_id"] != nil && json["bos_token_id"] == json["eos_token_id"])
    }
    #expect(gpt2["tie_word_embeddings"] == .flag(false))
    #expect(gpt2["eos_token_id"] == .integer(7))
    #expect(llama["tie_word_embeddings"] == .flag(true))
    #expect(llama["eos_token_id"] == .integer(9))
    #expect(llama["rope_theta"] == .number(500_000.5))
    #expect(
      llama["rope_parameters"]
        == .map(["rope_type": .text("default"), "rope_theta": .number(500_000.5)]))
  }

  /// Keys that published folders may omit have the defaults of transformers.
  @Test func absentKeysHaveTheFamilysDefaults() throws {
    let gpt2 = try #require(
      try Self.parse([
        "model_type": .text("gpt2"), "vocab_size": .integer(50257), "n_embd": .integer(12),
        "n_layer": .integer(1), "n_head": .integer(2), "n_inner": .null,
      ]) as? GPT2Configuration)
    #expect(gpt2.context == 1024 && gpt2.hidden == 48 && gpt2.tied && gpt2.epsilon == 1e-5)
    #expect(gpt2.ends == [50256])
    let llama = try #require(
      try Self.parse([
        "model_type": .text("llama"), "vocab_size": .integer(99), "hidden_size": .integer(16),
        "num_hidden_layers": .integer(1), "num_attention_heads": .integer(4),
        "intermediate_size": .integer(10), "eos_token_id": .list([.integer(5), .integer(6)]),
        "rope_scaling": .null,
      ]) as? LlamaConfiguration)
    #expect(llama.context == 2048 && llama.keyHeads == 4 && !llama.tied && llama.epsilon == 1e-6)
    #expect(llama.rotary.base == 10_000 && llama.ends == [5, 6])
    #expect(llama.json["eos_token_id"] == .list([.integer(5), .integer(6)]))
  }

  /// The base stands in `rope_theta`, or in the map: transformers 4 and 5 prefer another one.
  @Test func theBaseOfTheRotaryFrequenciesStandsInEitherKey() throws {
    var json = try Self.samples()[1].json
    json["rope_theta"] = nil
    let llama = try #require(try Self.parse(json) as? LlamaConfiguration)
    #expect(llama.rotary.base == 500_000.5)
    // A map that states no base contradicts none.
    json["rope_scaling"] = .map(["type": .text("dynamic"), "factor": .number(2)])
    let scaled = try #require(try Self.parse(json) as? LlamaConfiguration)
    #expect(scaled.rotary == llama.rotary)
    json["rope_scaling"] = .map(["type": .text("dynamic"), "factor": .number(-5)])
    let negative = try #require(throws: ModelError.self) { try Self.parse(json) }
    #expect("\(negative)".contains("rope_scaling.factor") && "\(negative)".contains("-5"))
    json["rope_scaling"] = nil
    json["rope_theta"] = .number(10_000)
    let error = try #require(throws: ModelError.self) { try Self.parse(json) }
    #expect("\(error)".contains("rope_theta and rope_parameters.rope_theta contradict"))
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    /// 0 GPT-2, 1 Llama.
    let sample: Int
    let key: String
    let value: ConfigurationValue
    var testDescription: String { "\(key) \(value.text)" }

    init(_ sample: Int, _ key: String, _ value: ConfigurationValue) {
      self.sample = sample
      self.key = key
      self.value = value
    }
  }

  static let refusals = [
    Refusal(0, "model_type", .text("opt")), Refusal(0, "model_type", .null),
    Refusal(0, "model_type", .integer(3)), Refusal(0, "activation_function", .text("gelu")),
    Refusal(0, "activation_function", .flag(true)),
    Refusal(0, "scale_attn_weights", .flag(false)),
    Refusal(0, "scale_attn_by_inverse_layer_idx", .flag(true)),
    Refusal(0, "add_cross_attention", .flag(true)),
    Refusal(0, "vocab_size", .integer(0)),
    Refusal(0, "vocab_size", .integer(-5)), Refusal(0, "vocab_size", .integer(.max)),
    Refusal(0, "vocab_size", .number(1.5)), Refusal(0, "vocab_size", .text("300")),
    Refusal(0, "n_positions", .integer(1 << 40)), Refusal(0, "n_layer", .integer(1 << 30)),
    Refusal(0, "n_embd", .integer(1 << 40)), Refusal(0, "n_head", .integer(7)),
    Refusal(0, "n_inner", .flag(true)), Refusal(0, "resid_pdrop", .number(1)),
    Refusal(0, "resid_pdrop", .number(0.999_999_999_9)), Refusal(0, "resid_pdrop", .number(-0.1)),
    Refusal(0, "layer_norm_epsilon", .number(-1)), Refusal(0, "layer_norm_epsilon", .number(1e300)),
    Refusal(0, "tie_word_embeddings", .text("yes")), Refusal(0, "eos_token_id", .number(1e300)),
    Refusal(0, "quantization_config", .map(["bits": .integer(4)])),
    Refusal(1, "rope_scaling", .map(["type": .text("linear")])),
    Refusal(1, "rope_scaling", .map(["rope_type": .text("llama3"), "factor": .number(8)])),
    Refusal(0, "eos_token_id", .integer(301)), Refusal(0, "eos_token_id", .integer(-1)),
    Refusal(1, "hidden_act", .text("gelu")), Refusal(1, "attention_bias", .text("yes")),
    Refusal(1, "mlp_bias", .integer(1)), Refusal(1, "head_dim", .integer(5)),
    Refusal(1, "num_key_value_heads", .integer(4)), Refusal(1, "rope_theta", .number(0)),
    Refusal(1, "rope_parameters", .map(["rope_type": .text("longrope")])),
    Refusal(1, "rope_scaling", .map(["type": .text("linear"), "factor": .number(-2)])),
    Refusal(1, "rope_scaling", .text("linear")), Refusal(1, "rope_parameters", .list([])),
    Refusal(1, "rope_parameters", .map(["full_attention": .map([:])])),
    Refusal(
      1, "rope_scaling",
      .map(["rope_type": .text("yarn"), "factor": .integer(2), "mscale": .number(1)])),
    Refusal(1, "rope_scaling", .map(["rope_type": .text("yarn")])),
    Refusal(1, "rope_scaling", .map(["rope_type": .text("dynamic")])),
    Refusal(1, "rope_scaling", .map(["type": .text("dynamic"), "factor": .null])),
    // transformers refuses an integer where its class has a float, the other way round, and null.
    Refusal(1, "rms_norm_eps", .integer(1)), Refusal(1, "rms_norm_eps", .null),
    Refusal(0, "layer_norm_epsilon", .integer(1)), Refusal(0, "initializer_range", .null),
    Refusal(0, "vocab_size", .number(300)),
    Refusal(1, "rms_norm_eps", .number(0)), Refusal(1, "attention_dropout", .number(2)),
  ]

  /// A number without a fraction is written with its decimal point, and an integer without one:
  /// transformers refuses a Llama whose `rms_norm_eps` is `1`.
  @Test func numbersKeepTheirDecimalPoint() throws {
    let text = String(
      decoding: ConfigurationFile.bytes(["factor": .number(1), "size": .integer(1)]), as: UTF8.self)
    #expect(text == "{\n  \"factor\": 1.0,\n  \"size\": 1\n}\n")
    var json = try Self.samples()[1].json
    json["rms_norm_eps"] = .number(1)
    let read = try #require(try Self.parse(json) as? LlamaConfiguration)
    #expect(read.epsilon == 1 && read.json["rms_norm_eps"] == .number(1))
    // A factor of null is that of the two contexts.
    json["rope_parameters"] = nil
    json["rope_scaling"] = .map([
      "rope_type": .text("yarn"), "factor": .null, "original_max_position_embeddings": .integer(8),
    ])
    let yarn = try #require(try Self.parse(json) as? LlamaConfiguration)
    #expect(yarn.rotary.scalingJSON["factor"] == .number(Double(yarn.context) / 8))
  }

  /// Values that Apus does not support are refused with an error that names file and key.
  @Test(arguments: refusals) func unsupportedValuesAreRefused(_ refusal: Refusal) throws {
    var json = try Self.samples()[refusal.sample].json
    json[refusal.key] = refusal.value
    let error = try #require(throws: ModelError.self) { try Self.parse(json) }
    let sentence = error.description
    #expect(sentence.hasPrefix("there/config.json "))
    #expect(sentence.hasSuffix(".") && !sentence.hasSuffix(".."))
    // Sizes that are not multiples are named by the keys of the user's configuration.
    var names = [refusal.key, "model.heads", "model.kvHeads"]
    // For a map, the error names the key within it.
    if case .map(let map) = refusal.value { names += map.keys }
    #expect(names.contains { sentence.contains($0) }, "\(sentence)")
  }

  @Test(arguments: [
    ("", "is not valid JSON: the document ends early (line 1, byte 0)"),
    ("[]", "holds a list where an object of settings is expected; copy the original file again"),
    ("null", "holds null where an object of settings is expected; copy the original file again"),
    ("{", "is not valid JSON: a key in quotation marks is expected (line 1, byte 1)"),
    ("{\"model_type\": }", "is not valid JSON: a value is expected (line 1, byte 15)"),
    (
      "{\"n_embd\": 4,\n \"n_embd\": 8}",
      "is not valid JSON: key 'n_embd' is repeated (line 2, byte 23)"
    ),
  ])
  func filesThatAreNotJSONObjectsAreRefused(text: String, fault: String) {
    let reason = "it \(fault)"
    #expect(throws: ModelError.badConfiguration(path: "x", reason: reason)) {
      try ConfigurationFile.parse(Data(text.utf8), path: "x")
    }
  }

  /// As to transformers, the family is that of `model_type`, whatever class the weights come from.
  @Test func theModelTypeDecidesTheFamily() throws {
    var json = try Self.samples()[1].json
    json["architectures"] = .list([.text("MistralForCausalLM")])
    #expect(try Self.parse(json) is LlamaConfiguration)
  }

  @Test func anAbsentFileIsNamed() throws {
    let error = try #require(throws: ModelError.self) {
      try ConfigurationFile.read("/nowhere/config.json")
    }
    #expect(error.description.hasPrefix("/nowhere/config.json "))
  }
}
