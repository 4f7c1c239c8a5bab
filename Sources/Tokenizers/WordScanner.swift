/// Cuts bytes into the words of GPT-2's pre-tokenization, in one pass and without copying.
///
/// The pattern, alternatives in order:
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// Read forwards: a contraction; or a run of one class, with one space (U+0020) before it if there
/// is one; or a run of white space, which leaves its last character to what follows unless it has
/// only one or the text ends there. A byte that is not part of valid UTF-8 counts as one character
/// of class `other`. The words cover the bytes without gaps.
struct WordScanner {
  private let bytes: UnsafeBufferPointer<UInt8>
  private let classes: CharacterClasses
  private var position = 0

  /// Reads `bytes`, which must outlive the scanner.
  init(_ bytes: UnsafeBufferPointer<UInt8>) {
    self.bytes = bytes
    classes = .unicode16
  }

  /// The next word as a range of the bytes; nil at the end.
  @inline(__always)
  mutating func next() -> Range<Int>? {
    guard position < bytes.count else { return nil }
    let start = position
    position = end(ofWordAt: start)
    return start..<position
  }

  @inline(__always)
  private func end(ofWordAt start: Int) -> Int {
    let (first, length) = character(at: start)
    if first == .space {
      if bytes[start] == 0x20, start + 1 < bytes.count {
        let (second, secondLength) = character(at: start + 1)
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
      let (next, length) = character(at: end)
      if next != kind { break }
      end += length
    }
    return end
  }

  private func end(ofSpaceAt start: Int) -> Int {
    var last = start
    var end = start
    while end < bytes.count {
      let (next, length) = character(at: end)
      if next != .space { return last == start ? end : last }
      last = end
      end += length
    }
    return end
  }

  /// The length of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` at the apostrophe `start`, or 0.
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

  /// The class and the length in bytes of the character at `index`.
  @inline(__always)
  private func character(at index: Int) -> (CharacterClass, Int) {
    let byte = bytes[index]
    guard byte < 0x80 else { return multibyteCharacter(at: index, lead: byte) }
    if (byte | 0x20) &- 0x61 < 26 { return (.letter, 1) }
    if byte == 0x20 || byte &- 0x09 < 5 { return (.space, 1) }
    return (byte &- 0x30 < 10 ? .number : .other, 1)
  }

  private func multibyteCharacter(at index: Int, lead: UInt8) -> (CharacterClass, Int) {
    // Table 3-7 of the Unicode Standard: the second byte's range rules out overlong forms,
    // surrogates and values past U+10FFFF.
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch lead {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    case 0xF1...0xF3: length = 4
    default: return (.other, 1)
    }
    guard index + length <= bytes.count, second.contains(bytes[index + 1]) else {
      return (.other, 1)
    }
    var value = UInt32(lead) & (0xFF >> UInt32(length + 1))
    for offset in 1..<length {
      let byte = bytes[index + offset]
      guard byte & 0xC0 == 0x80 else { return (.other, 1) }
      value = value << 6 | UInt32(byte & 0x3F)
    }
    return (classes[value], length)
  }
}
