import Foundation
import Testing

@testable import Models

/// The lists of keys, compared with a snapshot of transformers' classes (`configurations.py`).
@Suite struct ConfigurationKeyTests {
  /// A class of transformers: its keys with their defaults, further keys that it accepts or that
  /// networks read, and other names of keys.
  struct Class: Sendable, CustomTestStringConvertible {
    let type: String
    let keys: [String: ConfigurationValue]
    let others: [String]
    let aliases: [String: String]
    var testDescription: String { type }

    init(type: String, _ value: ConfigurationValue) throws {
      let parts = ConfigurationFields(values: try #require(value.members), path: type)
      self.type = type
      keys = try #require(parts.values["keys"]?.members)
      others = try parts.texts("others")
      aliases = try #require(parts.values["aliases"]?.members).mapValues(\.text)
    }
  }

  static let classes: [Class] = {
    do {
      let snapshot = try ConfigurationFile.fields(GoldenTests.path("configurations.json"))
      return try #require(snapshot.values["families"]?.members).sorted { $0.key < $1.key }
        .map { try Class(type: $0.key, $0.value) }
    } catch {
      preconditionFailure("\(error)")
    }
  }()

  private static func parse(
    _ type: String, _ json: [String: ConfigurationValue] = [:]
  ) throws -> any ModelConfiguration {
    let values = json.merging(["model_type": .text(type)]) { $1 }
    return try ConfigurationFile.parse(ConfigurationFile.bytes(values), path: "there/config.json")
  }

  @Test func theSnapshotHasEveryModelType() {
    #expect(Self.classes.map(\.type) == ModelFamilies.modelTypes)
  }

  @Test(arguments: classes) func everyKeyOfTheClassIsListed(of class: Class) throws {
    let known = try Self.parse(`class`.type).knownKeys
    let missing = (Array(`class`.keys.keys) + `class`.others).filter { !known.contains($0) }
    #expect(missing.isEmpty, "\(missing.sorted())")
  }

  @Test(arguments: classes) func otherNamesOfKeysAreThoseOfTheClass(_ class: Class) throws {
    func aliases<Model: ModelConfiguration>(of model: Model) -> [String: String] { Model.aliases }
    #expect(aliases(of: try Self.parse(`class`.type)) == `class`.aliases)
  }

  /// Keys whose written value is not the default of the class.
  private static let own: Set = ["architectures", "dtype", "transformers_version"]

  @Test(arguments: classes) func missingKeysHaveTheDefaultsOfTheClass(_ class: Class) throws {
    let model = try Self.parse(`class`.type)
    let written = try ConfigurationFile.fields(ConfigurationFile.bytes(model), path: "").values
    var own = Self.own
    // transformers says true, and unties the head that every published mT5 has.
    if `class`.type == "mt5" { own.insert("tie_word_embeddings") }
    // transformers says null, for four times the width.
    if `class`.type == "gpt2" { own.insert("n_inner") }
    let common = `class`.keys.filter { written[$0.key] != nil && !own.contains($0.key) }
    for (key, value) in common {
      #expect(written[key] == value, "\(key) is \(written[key]?.text ?? ""), not \(value.text)")
    }
    #expect(common.count > 15)
  }

  /// Every key of a list has one place in it, and every irrelevant one a reason.
  @Test(arguments: classes) func listsAreWellFormed(_ class: Class) throws {
    func check<Model: ModelConfiguration>(_ model: Model) {
      let keys = Model.keys.filter { $0.applies(model) }
      let own = keys.dropLast(ConfigurationKey<Model>.common.count).flatMap(\.names)
      #expect(own.count == Set(own).count)
      for key in keys {
        if case .irrelevant(let reason) = key.use { #expect(reason.count > 10, "\(key.names)") }
      }
    }
    check(try Self.parse(`class`.type))
  }

  /// A key that no class has is named in a note.
  @Test func unknownKeysAreNamed() throws {
    let folder = try Folder()
    let path = "\(folder.path)/config.json"
    let json: [String: ConfigurationValue] = [
      "model_type": .text("llama"), "no_rope_layers": .list([.integer(1)]), "vocab_size": .null,
      "sliding_window": .integer(5), "max_window_layers": .null, "rope_theta": .integer(20_000),
    ]
    try ConfigurationFile.bytes(json).write(to: URL(filePath: path))
    let model = try ConfigurationFile.read(path)
    #expect(
      try ConfigurationFile.unknownKeys(path, of: model) == ["no_rope_layers", "sliding_window"])
  }

  @Test(arguments: [
    ("llama", "layer_types", ConfigurationValue.list([.text("sliding_attention")])),
    ("mistral", "layer_types", .list([.text("full_attention")])),
    ("qwen2", "layer_types", .list([.text("sliding_attention")])),
    ("qwen2", "layer_types", .list([.text("chunked_attention")])),
    ("qwen3", "layer_types", .list([.text("full_attention"), .text("full_attention")])),
    ("llama", "partial_rotary_factor", .number(0.5)), ("llama", "rope_interleaved", .flag(true)),
    ("llama", "per_layer_config", .map(["0": .map(["head_dim": .integer(64)])])),
    ("gpt2", "hidden_size", .integer(24)), ("gpt2", "is_encoder_decoder", .flag(true)),
    ("t5", "dense_act_fn", .text("silu")), ("mt5", "is_gated_act", .flag(false)),
    ("bert", "classifier_dropout", .number(1)), ("gemma", "final_logit_softcapping", .number(30)),
  ])
  func valuesThatWouldNeedAnotherNetworkAreRefused(
    type: String, key: String, value: ConfigurationValue
  ) throws {
    let error = try #require(throws: ModelError.self) {
      try Self.parse(
        type,
        [key: value, type == "gpt2" ? "n_embd" : "num_hidden_layers": .integer(1)])
    }
    #expect(error.description.contains(key))
  }

  @Test func everyDropoutRateHasItsKey() throws {
    let gpt2 = try #require(
      Self.parse("gpt2", ["attn_pdrop": .number(0.25), "embd_pdrop": .integer(0)])
        as? GPT2Configuration)
    #expect((gpt2.dropout, gpt2.attentionDropout, gpt2.embeddingDropout) == (0.1, 0.25, 0))
    let bert = try Self.parse("bert", ["hidden_dropout_prob": .number(0.2)])
    #expect(bert.classifierDropout == 0.2)
    #expect(try Self.parse("bert", ["classifier_dropout": .integer(0)]).classifierDropout == 0)
  }

  /// `null` is a value of these keys, and differs from their absence.
  @Test func nullIsAValue() throws {
    func llama(_ type: String, _ json: [String: ConfigurationValue]) throws -> LlamaConfiguration {
      try #require(try Self.parse(type, json) as? LlamaConfiguration)
    }
    let mistral = try llama("mistral", ["sliding_window": .null, "num_key_value_heads": .null])
    #expect(mistral.window == nil && mistral.keyHeads == 32)
    let plain = try llama("mistral", [:])
    #expect(plain.window == 4096 && plain.keyHeads == 8)
    let isUsed = ["use_sliding_window": ConfigurationValue.flag(true)]
    #expect(try llama("qwen2", isUsed).window == 4096)
    #expect(try llama("qwen2", isUsed.merging(["sliding_window": .null]) { $1 }).window == nil)
    #expect(try llama("llama", ["eos_token_id": .null]).ends == [])
    for type in ["bert", "t5", "mt5", "gemma", "gemma3_text"] {
      for none in [ConfigurationValue.null, .integer(-1)] {
        #expect(try Self.parse(type, ["pad_token_id": none]).padding == nil, "\(type)")
      }
      #expect(try Self.parse(type).padding == 0, "\(type)")
    }
  }

  /// The blocks of Qwen that attend within the window: from `max_window_layers` on, or as listed.
  @Test func qwensBlocksAreLocalAsTheFileSays() throws {
    var json: [String: ConfigurationValue] = [
      "use_sliding_window": .flag(true), "sliding_window": .integer(4),
      "max_window_layers": .integer(2), "num_hidden_layers": .integer(4),
    ]
    func windows() throws -> [Int?] {
      let qwen = try #require(try Self.parse("qwen3", json) as? LlamaConfiguration)
      let again = try ConfigurationFile.parse(ConfigurationFile.bytes(qwen), path: "")
      #expect(again as? LlamaConfiguration == qwen)
      return (0..<4).map(qwen.window(ofBlock:))
    }
    #expect(try windows() == [nil, nil, 4, 4])
    let (local, global) = (
      ConfigurationValue.text(LayerTypes.local), ConfigurationValue.text(LayerTypes.global)
    )
    json[LayerTypes.key] = .list([local, global, local, global])
    #expect(try windows() == [4, nil, 4, nil])
    json["use_sliding_window"] = .flag(false)
    json[LayerTypes.key] = .list([global, global, global, .text("attention")])
    #expect(try windows() == [nil, nil, nil, nil])
  }
}

extension ConfigurationValue {
  fileprivate var members: [String: ConfigurationValue]? {
    if case .map(let map) = self { map } else { nil }
  }
}
