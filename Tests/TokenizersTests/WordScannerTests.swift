import Testing

@testable import Tokenizers

@Suite struct WordScannerTests {
  private static func words(_ bytes: [UInt8]) -> [[UInt8]] {
    bytes.withUnsafeBufferPointer { bytes in
      var scanner = WordScanner(bytes)
      var words: [[UInt8]] = []
      while let range = scanner.next() { words.append(Array(bytes[range])) }
      return words
    }
  }

  @Test(arguments: [
    ("", []),
    ("Hello world's 42nd!", ["Hello", " world", "'s", " 42", "nd", "!"]),
    (
      "we'll they've I'm 're 'lx 'v",
      ["we", "'ll", " they", "'ve", " I", "'m", " '", "re", " '", "lx", " '", "v"]
    ),
    ("''s 'S'", ["''", "s", " '", "S", "'"]),
    ("a  b   ", ["a", " ", " b", "   "]),
    ("a\n\n b\nc", ["a", "\n\n", " b", "\n", "c"]),
    (" \u{A0}x", [" ", "\u{A0}", "x"]),
    ("e\u{301}é", ["e", "\u{301}", "é"]),
    ("日本12①…", ["日本", "12①", "…"]),
  ])
  func wordsEqualThoseOfThePattern(_ text: String, _ expected: [String]) {
    let words = Self.words(Array(text.utf8))
    #expect(words.map { String(decoding: $0, as: UTF8.self) } == expected)
  }

  @Test(
    arguments: [
      // A stray continuation byte, a truncated sequence, an overlong form, a surrogate, and a value
      // above U+10FFFF: each byte is one character of class `other`.
      [0x61, 0x80, 0x62], [0x61, 0xE2, 0x82, 0x62], [0x61, 0xC0, 0xAF, 0x62],
      [0x61, 0xED, 0xA0, 0x80, 0x62], [0x61, 0xF4, 0x90, 0x80, 0x80, 0x62], [0x61, 0xFF, 0x62],
    ] as [[UInt8]])
  func invalidBytesAreOtherCharacters(_ bytes: [UInt8]) {
    #expect(Self.words(bytes) == [[0x61], Array(bytes[1..<(bytes.count - 1)]), [0x62]])
  }

  @Test func truncatedSequenceAtTheEndIsOther() {
    #expect(Self.words([0x61, 0xE6, 0x97]) == [[0x61], [0xE6, 0x97]])
  }
}
