import Testing

@testable import Tokenizers

/// Counts and edge cases of Hugging Face tokenizers 0.23.3, found by trying every scalar.
@Suite struct CharacterClassTests {
  private static func count(_ kind: CharacterClass) -> Int {
    (UInt32(0)..<0x33000).count { CharacterClasses.unicode16[$0] == kind }
  }

  @Test func classSizesEqualThoseOfUnicode16() {
    #expect(Self.count(.letter) == 141_028)
    #expect(Self.count(.number) == 1_911)
    #expect(Self.count(.space) == 25)
  }

  @Test(
    arguments: [
      ("a", .letter), ("\u{1C89}", .letter), ("\u{323AF}", .letter), ("½", .number),
      ("\u{85}", .space), ("\u{3000}", .space), ("\u{1C}", .other), ("\u{200B}", .other),
      // U+A7CE, assigned in Unicode 17; U+10FFFF, the last scalar.
      ("\u{A7CE}", .other), ("\u{10FFFF}", .other),
    ] as [(Unicode.Scalar, CharacterClass)])
  func scalarHasTheExpectedClass(_ scalar: Unicode.Scalar, _ kind: CharacterClass) {
    #expect(CharacterClasses.unicode16[scalar.value] == kind)
  }
}
