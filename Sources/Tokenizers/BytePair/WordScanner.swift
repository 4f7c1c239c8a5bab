/// Splits bytes into the words of GPT-2's pre-tokenization, in one pass without copying.
///
/// The pattern, alternatives in order:
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// A word is one of these: a contraction; a run of one class with an optional space (U+0020) before
/// it; or a run of white space, which leaves its last character to the next word unless it has only
/// one or the text ends there. A byte that is not part of valid UTF-8 counts as one character of
/// class `other`. The words cover the bytes without gaps.
struct WordScanner {
  /// The pattern as tokenizer.json spells it.
  static let expression =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  private let bytes: UnsafeBufferPointer<UInt8>
  private let classes: CharacterClasses
  private var position = 0

  /// Scans `bytes`, which must outlive the scanner.
  init(_ bytes: UnsafeBufferPointer<UInt8>) {
    self.bytes = bytes
    classes = .unicode16
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
    if first == .space {
      if bytes[start] == 0x20, start + 1 < bytes.count {
        let (second, secondLength) = classes.character(at: start + 1, in: bytes)
        if second != .space { return end(ofRun: second, from: start + 1 + secondLength) }
      }
      return end(ofSpaceAt: start)
    }
    if bytes[start] == 0x27 {
      let contraction = contractionLength(at: start)
      if contraction > 0 { return start + contraction }
    }
    return end(ofRun: first, from: start + length)
  }

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

  private func end(ofSpaceAt start: Int) -> Int {
    var last = start
    var end = start
    while end < bytes.count {
      let (next, length) = classes.character(at: end, in: bytes)
      if next != .space { return last == start ? end : last }
      last = end
      end += length
    }
    return end
  }

  /// Returns the length of the contraction (`'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d`) at the
  /// apostrophe `start`, or 0.
  private func contractionLength(at start: Int) -> Int {
    guard start + 1 < bytes.count else { return 0 }
    let second = bytes[start + 1]
    switch second {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
      return 2
    case UInt8(ascii: "r"), UInt8(ascii: "v"), UInt8(ascii: "l"):
      guard start + 2 < bytes.count else { return 0 }
      let third = second == UInt8(ascii: "l") ? UInt8(ascii: "l") : UInt8(ascii: "e")
      return bytes[start + 2] == third ? 3 : 0
    default:
      return 0
    }
  }
}
