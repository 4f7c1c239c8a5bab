import Files
import Foundation
import Testing

@testable import Tokenizers

/// The cases that Hugging Face publishes for its Swift tokenizers, with the vocabularies of the
/// material folder: BERT's vocab.txt and tokenizer.json, GPT-2's vocab.json, T5's spiece.model.
@Suite struct PublishedCasesTests {
  private static let material = ProcessInfo.processInfo.environment["APUS_MATERIAL"]

  @Test(
    arguments: [
      ("bert-base-uncased", "bert-base-uncased/tokenizer.json"),
      ("google-bert/bert-base-uncased", "bert-base-uncased/vocab.txt"),
      ("distilgpt2", "gpt2"), ("t5-base", "t5"),
    ])
  func idsAndTextsEqualThePublishedOnes(_ name: String, _ path: String) throws {
    guard let material = Self.material, FileStatus(material + "/tokenizers") != nil else {
      print("SKIPPED: published cases of \(name): APUS_MATERIAL names no folder with tokenizers.")
      return
    }
    let file = material + "/tokenizers/conformance/hf_swift_tokenizer_tests.json"
    let cases = try #require(try JSONReader.read(TokenizerFile.contents(of: file))[name]?.array)
    #expect(cases.count > 15)
    let tokenizer = try TokenizerFile.load(from: "\(material)/tokenizers/\(path)")
    let pipeline = tokenizer as? TokenizationPipeline
    for value in cases {
      let text = try #require(value["input"]?.string)
      let ids = pipeline?.encoding(of: text).ids ?? tokenizer.encode(text)
      let expected = value["encoded"]?["input_ids"]?.array ?? []
      #expect(ids.map(Int.init) == expected.map { $0.integer ?? -1 }, "\(text.debugDescription)")
      // The published texts went through transformers' clean-up of spaces after the decoder.
      let decoded = String(decoding: try tokenizer.decode(ids), as: UTF8.self)
      let whole = value["decoded_with_special"]?.string ?? ""
      #expect(
        decoded.filter { $0 != " " } == whole.filter { $0 != " " }, "\(text.debugDescription)")
    }
  }
}
