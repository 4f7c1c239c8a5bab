import Files
import Testing

@testable import Tokenizers

/// Compares streamed texts with those that transformers decodes for the same new ids.
@Suite struct DecodedStreamTests {
  private static func load(_ name: String) throws -> TokenizationPipeline {
    try TokenizationPipeline(
      JSONFile(path: Goldens.path("pipelines/\(name).json")), endOfText: nil)
  }

  private func text(_ stream: DecodedStream, _ ids: [TokenID]) throws -> String {
    var (stream, text) = (stream, "")
    for id in ids { text += try stream.append(id) }
    return text + (try stream.rest())
  }

  @Test(arguments: ["llama2", "gpt2", "llama3"])
  func theWholeEqualsTheTextOfTransformers(_ name: String) throws {
    let tokenizer = try Self.load(name)
    let goldens = try JSONReader.read(Goldens.bytes("decoded.json"))
    let cases = try #require(goldens[name]?.array)
    #expect(cases.count > 75)
    for value in cases {
      let ids = try #require(value["ids"]?.array).compactMap(\.integer).map { TokenID($0) }
      let expected = try #require(value["text"]?.string)
      let found = try text(DecodedStream(tokenizer), ids)
      #expect(found.utf8.elementsEqual(expected.utf8), "\(ids) \(found.debugDescription)")
    }
  }

  /// A continuation keeps the space that the same tokens lose at the beginning of a text.
  @Test func aContinuationJoinsItsPrompt() throws {
    let tokenizer = try Self.load("llama2")
    let (prompt, whole) = ("The swift", "The swift flies over the sea → 雨燕\n\n é")
    let (start, ids) = (tokenizer.encode(prompt: prompt), tokenizer.encode(prompt: whole))
    #expect(ids.starts(with: start))
    let new = Array(ids.dropFirst(start.count))
    let continuation = try text(DecodedStream(tokenizer, after: start), new)
    #expect(prompt + continuation == whole)
    #expect(try text(DecodedStream(tokenizer), new) == String(continuation.dropFirst()))
  }

  @Test func aCharacterIsShownOnceItIsWhole() throws {
    var stream = DecodedStream(ByteTokenizer())
    let parts = try Array("a→".utf8).map { try stream.append(TokenID($0)) }
    #expect(parts == ["a", "", "", "→"])
    #expect(try stream.append(0xE2) == "" && stream.append(0x86) == "")
    #expect(try stream.rest() == "\u{FFFD}")
  }
}
