import Testing

@testable import Models

/// Properties of every family in the registry.
@Suite struct ModelFamilyTests {
  private static let ids = NewModelIds(count: 300, endOfText: 7) { $0 == "<pad>" ? 3 : nil }

  private static func new(_ family: ModelFamily) -> NewModel {
    var model = NewModel(family: family)
    (model.layers, model.width, model.typedContext) = (7, 32, 48)
    return model
  }

  @Test func namesAndModelTypesAreUnique() {
    let names = ModelFamilies.all.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(Set(ModelFamilies.modelTypes).count == ModelFamilies.modelTypes.count)
    for family in ModelFamilies.all {
      for type in family.modelTypes {
        #expect(ModelFamilies.reading(modelType: type) == family)
      }
    }
  }

  @Test func anUnknownModelTypeIsRefusedWithAllNames() throws {
    let json = ConfigurationFile.bytes(["model_type": .text("opt")])
    let error = try #require(throws: ModelError.self) {
      try ConfigurationFile.parse(json, path: "there/config.json")
    }
    for type in ModelFamilies.modelTypes { #expect(error.description.contains(type)) }
  }

  /// A new model is of the family, and its file is read back as the same model.
  @Test(arguments: ModelFamilies.all.map(\.name))
  func newModelsAreReadBack(name: String) throws {
    let family = try #require(ModelFamilies.all.first { $0.name == name })
    let model = try Self.new(family).configuration(Self.ids)
    #expect(model.vocabulary == 300 && model.context == 48)
    #expect(model.layers == 7 && model.width == 32)
    #expect(model.tied == family.isTied && model.prediction == family.prediction)
    let type = try #require(model.json["model_type"]).text
    #expect(ModelFamilies.reading(modelType: type) == family)
    let bytes = ConfigurationFile.bytes(model)
    let read = try ConfigurationFile.parse(bytes, path: "config.json")
    #expect(ConfigurationFile.bytes(read) == bytes)
    #expect(read.layout == model.layout)
  }

  /// Every key of a family stands once in its list.
  @Test(arguments: ModelFamilies.all.map(\.name)) func everyKeyIsWrittenOnce(name: String) throws {
    func writtenTwice<Model: ModelConfiguration>(_ model: Model) -> [String] {
      var json: [String: ConfigurationValue] = [:]
      var twice: [String] = []
      for key in Model.keys where key.applies(model) {
        var own: [String: ConfigurationValue] = [:]
        key.write(model, &own)
        twice += own.keys.filter { json[$0] != nil }
        json.merge(own) { $1 }
      }
      return twice
    }
    let family = try #require(ModelFamilies.all.first { $0.name == name })
    #expect(writtenTwice(try Self.new(family).configuration(Self.ids)) == [])
  }

  @Test(arguments: [
    ("gpt2", "model.kvHeads", "one key head per query head"),
    ("gpt2", "model.gated", "no effect with model.family: gpt2"),
    ("bert", "model.decoderLayers", "no effect with model.family: bert"),
    ("t5", "model.initialStd", "no effect with model.family: t5"),
  ]) func keysOfOtherFamiliesAreRefused(name: String, key: String, reason: String) throws {
    let model = Self.new(try #require(ModelFamilies.all.first { $0.name == name }))
    let refusal = try #require(model.refusal { $0 == key })
    #expect(refusal.key == key && refusal.reason.contains(reason))
    #expect(model.refusal { _ in false } == nil)
  }

  @Test func anUntiedHeadIsRefusedWhereThereIsNone() {
    for family in ModelFamilies.all {
      var model = Self.new(family)
      model.tied = false
      #expect((model.refusal { _ in false } != nil) == !family.allowsUntiedHead)
    }
  }

  /// Names of other releases, the current one first.
  @Test func publishedNamesIncludeThoseOfOtherReleases() {
    #expect(
      ModelFamilies.publishedNames(of: "bert.embeddings.LayerNorm.weight") == [
        "bert.embeddings.LayerNorm.weight", "embeddings.LayerNorm.weight",
        "bert.embeddings.LayerNorm.gamma", "embeddings.LayerNorm.gamma",
      ])
    #expect(
      ModelFamilies.publishedNames(of: "transformer.h.0.ln_1.bias") == [
        "transformer.h.0.ln_1.bias", "h.0.ln_1.bias",
      ])
    let embedding = [
      "shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight",
    ]
    #expect(ModelFamilies.publishedNames(of: "shared.weight") == embedding)
    #expect(ModelFamilies.sharedNames(of: "lm_head.weight") == embedding)
    #expect(ModelFamilies.sharedNames(of: "shared.weight") == [])
  }
}
