/// Whitespace: splits into words of `\w+` and of `[^\w\s]+`.
struct WhitespacePreTokenizer: PreTokenizer {
  func split(_ text: inout PreTokenizedText) {
    splitByKind(&text) { scalar in
      if isWhiteSpace(scalar) { return nil }
      return ScalarSet.word.contains(scalar)
    }
  }
}

/// WhitespaceSplit: splits at white space.
struct WhitespaceSplitPreTokenizer: PreTokenizer {
  func split(_ text: inout PreTokenizedText) {
    splitByKind(&text) { isWhiteSpace($0) ? nil : true }
  }
}

/// Splits into runs of scalars with equal `kind`; scalars whose kind is nil are dropped.
private func splitByKind(_ text: inout PreTokenizedText, _ kind: (UInt32) -> Bool?) {
  text.splitWords { bytes, emit in
    var start = 0
    var current: Bool?
    var index = 0
    while index < bytes.count {
      let read = bytes.scalar(at: index)
      let next = kind(read.value)
      if next != current {
        if current != nil { emit(start..<index) }
        start = index
        current = next
      }
      index += read.length
    }
    if current != nil { emit(start..<index) }
  }
}

/// BertPreTokenizer: splits at white space; each punctuation mark is a word of its own.
struct BertPreTokenizer: PreTokenizer {
  func split(_ text: inout PreTokenizedText) {
    text.splitWords { bytes, emit in
      var start = 0
      var index = 0
      while index < bytes.count {
        let read = bytes.scalar(at: index)
        let isSpace = isWhiteSpace(read.value)
        if isSpace || isPunctuation(read.value) {
          emit(start..<index)
          if !isSpace { emit(index..<index + read.length) }
          start = index + read.length
        }
        index += read.length
      }
      emit(start..<index)
    }
  }
}

/// Returns true when BERT counts `scalar` as punctuation, which includes every visible ASCII
/// character other than a letter or digit.
@inline(__always)
private func isPunctuation(_ scalar: UInt32) -> Bool {
  switch scalar {
  case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
  case 0..<0x80: false
  default: ScalarSet.punctuation.contains(scalar)
  }
}

/// Punctuation: splits at punctuation marks.
struct PunctuationPreTokenizer: PreTokenizer {
  let behavior: SplitPreTokenizer.Behavior

  func split(_ text: inout PreTokenizedText) {
    splitAtScalars(&text, behavior, isPunctuation)
  }
}

/// Digits: splits before and after numbers, or around every digit.
struct DigitsPreTokenizer: PreTokenizer {
  let individualDigits: Bool

  func split(_ text: inout PreTokenizedText) {
    splitAtScalars(&text, individualDigits ? .isolated : .contiguous) { scalar in
      scalar < 0x80 ? scalar &- 0x30 < 10 : ScalarSet.numeric.contains(scalar)
    }
  }
}

private func splitAtScalars(
  _ text: inout PreTokenizedText, _ behavior: SplitPreTokenizer.Behavior,
  _ isMatch: (UInt32) -> Bool
) {
  text.splitWords { bytes, emit in
    var matches: [Range<Int>] = []
    var index = 0
    while index < bytes.count {
      let read = bytes.scalar(at: index)
      if isMatch(read.value) { matches.append(index..<index + read.length) }
      index += read.length
    }
    if matches.isEmpty { return emit(bytes.indices) }
    SplitPreTokenizer.cut(bytes, at: matches, behavior, false, emit)
  }
}
