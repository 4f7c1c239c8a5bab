import Foundation
import Models
import Testing

/// The files that sentence-transformers writes beside a model.
@Suite struct SentenceConfigurationTests {
  private let folder: Folder

  init() throws {
    folder = try Folder()
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/1_Pooling", withIntermediateDirectories: true)
  }

  private func write(_ text: String, to name: String) throws {
    try folder.write(Array(text.utf8), to: "\(folder.path)/\(name)")
  }

  private func writeModules(_ types: [String]) throws {
    let modules = types.enumerated().map {
      #"{"idx": \#($0), "path": "\#($0)_\#($1)", "type": "sentence_transformers.models.\#($1)"}"#
    }
    try write("[\(modules.joined(separator: ", "))]", to: "modules.json")
  }

  @Test func aFolderWithoutTheFilesHasNoSettings() throws {
    let settings = try SentenceConfiguration(folder: folder.path)
    #expect(settings.longest == nil && !settings.lowercases && !settings.normalizes)
    #expect(settings.others.isEmpty)
  }

  @Test func theSettingsOfMiniLMAreRead() throws {
    try write(
      #"{"max_seq_length": 256, "do_lower_case": true}"#, to: SentenceConfiguration.fileName)
    try writeModules(["Transformer", "Pooling", "Normalize"])
    try write(
      #"""
      {"word_embedding_dimension": 384, "pooling_mode_cls_token": false,
       "pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": false}
      """#, to: "1_Pooling/config.json")
    let settings = try SentenceConfiguration(folder: folder.path)
    #expect(settings.longest == 256 && settings.lowercases && settings.normalizes)
    #expect(settings.others.isEmpty)
  }

  /// BGE takes the first token; other models have a linear layer behind the pooling.
  @Test func otherVectorsAreNamed() throws {
    try writeModules(["Transformer", "Pooling", "Dense"])
    try write(
      #"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#,
      to: "1_Pooling/config.json")
    #expect(
      try SentenceConfiguration(folder: folder.path).others
        == ["pooling_mode_cls_token", "sentence_transformers.models.Dense"])
    try write(#"{"pooling_mode": "lasttoken"}"#, to: "1_Pooling/config.json")
    #expect(
      try SentenceConfiguration(folder: folder.path).others.first == "pooling_mode lasttoken")
  }

  @Test(arguments: [
    ("sentence_bert_config.json", #"{"max_seq_length": 0}"#, "max_seq_length"),
    ("sentence_bert_config.json", #"{"do_lower_case": 1}"#, "do_lower_case"),
    ("modules.json", "{}", "list"), ("modules.json", "[3]", "list"),
    ("modules.json", #"[{"idx": 0}]"#, "type"),
  ])
  func invalidFilesAreRefused(name: String, text: String, word: String) throws {
    try write(text, to: name)
    let error = try #require(throws: ModelError.self) {
      try SentenceConfiguration(folder: folder.path)
    }
    #expect("\(error)".contains(name) && "\(error)".contains(word))
  }
}
