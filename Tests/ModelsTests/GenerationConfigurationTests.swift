import Foundation
import TestFolders
import Testing

@testable import Models

/// `generation_config.json`: what is read, kept and written.
@Suite struct GenerationConfigurationTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func read(
    _ text: String?, config: String = "{}", of model: (any ModelConfiguration)? = nil
  ) throws -> GenerationConfiguration {
    try folder.write(Array(config.utf8), to: "config.json")
    if let text { try folder.write(Array(text.utf8), to: GenerationConfiguration.fileName) }
    return try GenerationConfiguration(folder: folder.path, of: model ?? self.model)
  }

  private let model = GPT2Configuration()

  @Test func stopsAndSamplingAreReadAndKept() throws {
    let read = try read(
      """
      {"_from_model_config": true, "bos_token_id": 1, "eos_token_id": [2, 426], "do_sample": true,
       "temperature": 0.6, "top_p": 0.9, "top_k": 0, "repetition_penalty": 1.05, "min_p": 0.0,
       "num_beams": 1, "bad_words_ids": [[5]], "suppress_tokens": [], "stop_strings": null,
       "transformers_version": "5.24.0"}
      """)
    #expect(read.ends == [2, 426] && read.isSampled == true)
    #expect(read.temperature == 0.6 && read.topP == 0.9 && read.topK == nil)
    #expect(read.unused == ["repetition_penalty 1.05", "bad_words_ids [[5]]"])
    let text = GenerationConfiguration.text(read, endOfText: 2, others: [426, 7], of: model)
    let json = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    #expect(json?["eos_token_id"] as? [Int] == [2, 426, 7] && json?["bos_token_id"] as? Int == 1)
    #expect(json?["temperature"] as? Double == 0.6 && json?["repetition_penalty"] != nil)
    #expect(json?["_from_model_config"] == nil)
  }

  @Test func withoutTheFileTheIDsOfTheModelCount() throws {
    let read = try read(
      nil, config: #"{"eos_token_id": [5, 6], "bos_token_id": 4, "temperature": 3}"#)
    #expect(read.ends == [5, 6] && read.temperature == nil && read.unused.isEmpty)
    let text = GenerationConfiguration.text(read, endOfText: 5, others: [], of: model)
    #expect(text.contains("\"bos_token_id\": 4"))
    // A published model without a beginning gets none.
    try folder.write(Array(#"{"eos_token_id": 5}"#.utf8), to: "config.json")
    let without = try GenerationConfiguration(folder: folder.path, of: model)
    let written = GenerationConfiguration.text(without, endOfText: 5, others: [], of: model)
    #expect(!written.contains("bos_token_id"))
    // Missing keys have the values of transformers' class, and `null` means none.
    let gpt2 = try ConfigurationFile.parse(
      Data(#"{"model_type": "gpt2"}"#.utf8), path: "config.json")
    let missing = try self.read(nil, of: gpt2)
    #expect(missing.beginning == 50_256 && missing.ends == [50_256])
    let config = #"{"bos_token_id": null, "eos_token_id": [7, 8]}"#
    let none = try self.read(nil, config: config, of: gpt2)
    #expect(none.beginning == nil && none.ends == [7, 8])
  }

  @Test func paddingIsReadAndANegativeOneIsNone() throws {
    #expect(try read(#"{"pad_token_id": 3}"#).padding == 3)
    #expect(try read(#"{"pad_token_id": -1}"#).padding == nil)
    #expect(try read(#"{"pad_token_id": -100}"#).padding == nil)
    #expect(try read("{}").padding == nil)
    #expect(try read(nil, config: #"{"pad_token_id": 7}"#).padding == nil)
  }

  @Test func aNewModelBeginsAndEndsWithTheEndOfText() throws {
    let text = GenerationConfiguration.text(nil, endOfText: 9, others: [9], of: model)
    #expect(text == "{\n  \"bos_token_id\": 9,\n  \"eos_token_id\": 9\n}\n")
  }

  /// Every key of transformers' class is used, irrelevant, or reported as not applied; so is a key that
  /// it does not have.
  @Test func everyKeyOfTheClassIsListed() throws {
    let path = "\(GoldenTests.path("."))/../../TokenizersTests/Goldens/tokenizer_keys.json"
    let snapshot = try ConfigurationFile.fields(path)
    let names = try snapshot.texts("generation")
    let (known, unused) = (
      GenerationConfiguration.knownKeys, Set(GenerationConfiguration.unusedKeys.keys)
    )
    #expect(names.count > 60 && known.isDisjoint(with: unused))
    #expect(Set(names).subtracting(known).subtracting(unused).isEmpty)
    #expect(try read(#"{"mirostat": 2, "use_cache": true}"#).unused == ["mirostat 2"])
  }

  @Test func lengthAndNumberOfTextsAreRead() throws {
    let stated = try read(
      #"{"max_new_tokens": 7, "max_length": 20, "num_return_sequences": 3, "max_time": 2.5}"#)
    #expect(stated.maximumNewTokens == 7 && stated.samples == 3)
    #expect(stated.unused == ["max_time 2.5"])
    let length = try read(#"{"max_length": 20, "max_new_tokens": null}"#)
    #expect(length.maximumNewTokens == nil && length.samples == nil)
    #expect(length.unused == ["max_length 20"])
  }

  @Test(arguments: [
    (#"{"max_new_tokens": 0}"#, "max_new_tokens is 0"),
    (#"{"num_return_sequences": "3"}"#, "num_return_sequences is"),
    (#"{"eos_token_id": "2"}"#, "eos_token_id is \"2\""), (#"{"eos_token_id": [2, -1]}"#, "[2,-1]"),
    (#"{"temperature": -1}"#, "temperature is -1"), (#"{"top_p": 0}"#, "top_p is 0"),
    (#"{"top_k": 2.5}"#, "top_k is 2.5"), (#"{"do_sample": 1}"#, "do_sample is 1"),
    (#"{"top_k": 1, "top_k": 2}"#, "top_k"), ("[]", "holds a list where an object of settings"),
    ("null", "holds null where an object of settings"),
  ])
  func badValuesAreRefused(text: String, words: String) throws {
    let error = #expect(throws: ModelError.self) { try read(text) }
    #expect("\(error as Any)".contains(words), "\(error as Any)")
  }
}
