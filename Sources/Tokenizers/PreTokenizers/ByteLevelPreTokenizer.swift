/// ByteLevel: GPT-2's words, perhaps with a space before the first.
///
/// GPT-2 then spells every byte as a character. Here bytes stay bytes: the vocabulary is read from
/// its spelling instead, once.
struct ByteLevelPreTokenizer: PreTokenizer {
  let addsPrefixSpace: Bool
  /// Whether to cut by GPT-2's pattern.
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
