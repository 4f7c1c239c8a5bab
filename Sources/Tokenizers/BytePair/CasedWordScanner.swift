/// Splits bytes into the words of Llama 3's and Qwen's pre-tokenization, in one pass without
/// copying.
///
/// The pattern, alternatives in order; a word holds up to three digits for Llama 3, one for Qwen:
///
///     (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*
///     |\s*[\r\n]+|\s+(?!\S)|\s+
///
/// A word is one of these: a contraction in either case; letters, optionally preceded by one
/// character that is neither letter, digit nor line end; digits; other characters, with an optional
/// space before and the line ends after them; or white space: up to its last line end, or else all
/// but its last character unless it has only one or the text ends there. The words cover the bytes
/// without gaps.
struct CasedWordScanner {
  /// Returns the pattern as tokenizer.json spells it.
  static func expression(digits: Int) -> String {
    let numbers = digits == 1 ? #"\p{N}"# : #"\p{N}{1,\#(digits)}"#
    return #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\#(numbers)"#
      + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  }

  private let bytes: UnsafeBufferPointer<UInt8>
  private let classes = CharacterClasses.unicode16
  private let digits: Int
  private var position = 0

  /// Scans `bytes`, which must outlive the scanner; a word holds at most `digits` digits.
  init(_ bytes: UnsafeBufferPointer<UInt8>, digits: Int) {
    self.bytes = bytes
    self.digits = digits
  }

  /// Returns the next word as a range of the bytes; nil at the end.
  @inline(__always)
  mutating func next() -> Range<Int>? {
    guard position < bytes.count else { return nil }
    let start = position
    position = end(ofWordAt: start)
    return start..<position
  }

  @inline(__always)
  private func end(ofWordAt start: Int) -> Int {
    let (first, length) = classes.character(at: start, in: bytes)
    let after = start + length
    if bytes[start] == 0x27 {
      let contraction = contractionLength(at: start)
      if contraction > 0 { return start + contraction }
    }
    switch first {
    case .letter: return end(ofRun: .letter, from: after)
    case .number:
      var end = after
      var count = 1
      while count < digits, end < bytes.count {
        let (next, length) = classes.character(at: end, in: bytes)
        if next != .number { break }
        end += length
        count += 1
      }
      return end
    case .other, .space: break
    }
    if after < bytes.count, !isLineEnd(bytes[start]) {
      let (second, secondLength) = classes.character(at: after, in: bytes)
      if second == .letter { return end(ofRun: .letter, from: after + secondLength) }
      if bytes[start] == 0x20, second == .other {
        return end(ofLinesFrom: end(ofRun: .other, from: after + secondLength))
      }
    }
    if first == .other { return end(ofLinesFrom: end(ofRun: .other, from: after)) }
    return end(ofSpaceAt: start)
  }

  @inline(__always)
  private func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }

  @inline(__always)
  private func end(ofRun kind: CharacterClass, from start: Int) -> Int {
    var end = start
    while end < bytes.count {
      let (next, length) = classes.character(at: end, in: bytes)
      if next != kind { break }
      end += length
    }
    return end
  }

  private func end(ofLinesFrom start: Int) -> Int {
    var end = start
    while end < bytes.count, isLineEnd(bytes[end]) { end += 1 }
    return end
  }

  private func end(ofSpaceAt start: Int) -> Int {
    var last = start
    var end = start
    var line: Int?
    while end < bytes.count {
      let (next, length) = classes.character(at: end, in: bytes)
      if next != .space { break }
      if isLineEnd(bytes[end]) { line = end + 1 }
      last = end
      end += length
    }
    if let line { return line }
    return end == bytes.count || last == start ? end : last
  }

  /// Returns the length in bytes of a contraction at the apostrophe `start`, in either case, or 0.
  ///
  /// U+017F (ſ) folds to s.
  private func contractionLength(at start: Int) -> Int {
    guard start + 1 < bytes.count else { return 0 }
    switch bytes[start + 1] | 0x20 {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
      return isLetter(bytes[start + 1]) ? 2 : 0
    case UInt8(ascii: "r"), UInt8(ascii: "v"), UInt8(ascii: "l"):
      guard start + 2 < bytes.count, isLetter(bytes[start + 1]), isLetter(bytes[start + 2]) else {
        return 0
      }
      let isL = bytes[start + 1] | 0x20 == UInt8(ascii: "l")
      return bytes[start + 2] | 0x20 == (isL ? UInt8(ascii: "l") : UInt8(ascii: "e")) ? 3 : 0
    default:
      return bytes[(start + 1)...].starts(with: [0xC5, 0xBF]) ? 3 : 0
    }
  }

  private func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
}
