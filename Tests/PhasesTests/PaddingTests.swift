import Testing
import Tokenizers

@testable import Phases

/// The padding of a model whose head reads the last token that is not padding.
@Suite struct PaddingTests {
  @Test func paddingIsNeverTheEndOfEveryText() throws {
    let one = ByteTokenizer()
    #expect(one.padding(otherThan: nil, preferring: []) == 256)
    #expect(one.padding(otherThan: 256, preferring: []) == nil)
    #expect(one.padding(otherThan: 256, preferring: [256, 3]) == 3)
    let two = try BytePairTokenizer(
      tokens: (0..<256).map { [UInt8($0)] } + ["<end>", "<turn>"].map { Array($0.utf8) },
      merges: [], specialTokens: [256, 257], endOfText: 256)
    #expect(two.padding(otherThan: 256, preferring: [256]) == 257)
    #expect(two.padding(otherThan: 257, preferring: [257]) == 256)
    #expect(two.padding(otherThan: 256, preferring: [900]) == 257)
  }
}
