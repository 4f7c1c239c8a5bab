/// Metaspace: replaces spaces by sentencepiece's `▁`, which begins a word.
struct MetaspacePreTokenizer: PreTokenizer {
  /// The condition under which a `▁` is put before a word that does not begin with one.
  enum PrependScheme: String, Sendable {
    case always
    case never
    /// Only at the beginning of the text.
    case first
  }

  /// The UTF-8 form of the character that replaces a space, usually `▁`.
  let replacement: [UInt8]
  let prependScheme: PrependScheme
  let splits: Bool

  var readsIsFirst: Bool { prependScheme == .first }

  func split(_ text: inout PreTokenizedText) {
    text.rewriteWords { bytes, isAtStart, writer in
      let prepends =
        switch prependScheme {
        case .always: true
        case .first: isAtStart
        case .never: false
        }
      if prepends, bytes.first != 0x20, !bytes.starts(with: replacement) {
        for byte in replacement { writer.write(byte, from: 0) }
      }
      var index = 0
      while index < bytes.count {
        let isSpace = bytes[index] == 0x20
        let isMark =
          bytes[index] == replacement[0] && bytes[index...].starts(with: replacement)
        // A prepended `▁` is then the beginning of the first word.
        if splits, isSpace || isMark { writer.endWord() }
        if isSpace {
          for byte in replacement { writer.write(byte, from: index) }
          index += 1
        } else if isMark {
          for _ in replacement {
            writer.write(bytes[index], from: index)
            index += 1
          }
        } else {
          writer.write(bytes[index], from: index)
          index += 1
        }
      }
    }
  }
}
