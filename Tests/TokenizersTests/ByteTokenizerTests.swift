import Testing

@testable import Tokenizers

@Suite struct ByteTokenizerTests {
  private let tokenizer = ByteTokenizer()

  @Test func idsAreTheBytes() throws {
    let bytes = Array(UInt8.min...UInt8.max)
    let ids = tokenizer.encode(bytes)
    #expect(ids == (0..<256).map { TokenID($0) })
    #expect(try tokenizer.decode(ids) == bytes)
    #expect(tokenizer.encode("é") == [0xC3, 0xA9])
    #expect(tokenizer.encode("") == [])
  }

  @Test func plainTextNeverYieldsTheSpecialToken() throws {
    let ids = tokenizer.encode("<|endoftext|>")
    #expect(!ids.contains { tokenizer.isSpecial($0) })
    #expect(tokenizer.isSpecial(256) && !tokenizer.isSpecial(255))
    #expect(try tokenizer.bytes(of: 256) == Array("<|endoftext|>".utf8))
  }

  @Test(arguments: [-1, 257] as [TokenID]) func unknownIDIsRefused(_ id: TokenID) {
    #expect(throws: TokenizerError.unknownID(id: id, vocabularySize: 257)) {
      try tokenizer.decode([65, id])
    }
  }
}
