/// ByteLevel: splits into GPT-2's words, optionally with a space put before the first.
///
/// GPT-2 then spells every byte as a character. Here bytes stay bytes: the reader converts the
/// spelled vocabulary to bytes once instead.
struct ByteLevelPreTokenizer: PreTokenizer {
  let addsPrefixSpace: Bool
  /// True when GPT-2's pattern splits the text.
  let usesPattern: Bool

  func split(_ text: inout PreTokenizedText) {
    if addsPrefixSpace {
      text.rewriteWords { bytes, _, writer in
        if bytes.first != 0x20 { writer.write(0x20, from: 0) }
        for (index, byte) in bytes.enumerated() { writer.write(byte, from: index) }
      }
    }
    guard usesPattern else { return }
    text.splitWords { bytes, emit in
      var scanner = WordScanner(bytes)
      while let range = scanner.next() { emit(range) }
    }
  }
}
