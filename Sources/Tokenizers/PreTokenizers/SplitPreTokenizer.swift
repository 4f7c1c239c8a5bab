/// Split: splits at the matches of a pattern.
struct SplitPreTokenizer: PreTokenizer {
  /// The treatment of matches.
  enum Behavior: String, Sendable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"
  }

  let pattern: TextPattern
  let behavior: Behavior
  /// True when the behaviour applies to the text between matches, and matches are the words.
  let isInverted: Bool

  func split(_ text: inout PreTokenizedText) {
    text.splitWords { bytes, emit in
      if behavior == .isolated, pattern.cutsWithoutGaps {
        pattern.forEachMatch(in: bytes, emit)
      } else {
        Self.cut(bytes, at: pattern.matches(in: bytes), behavior, isInverted, emit)
      }
    }
  }

  /// Splits `bytes` at `matches`, which are in order and do not overlap.
  static func cut(
    _ bytes: UnsafeBufferPointer<UInt8>, at matches: [Range<Int>], _ behavior: Behavior,
    _ isInverted: Bool, _ emit: (Range<Int>) -> Void
  ) {
    var pieces: [(range: Range<Int>, isMatch: Bool)] = []
    var place = 0
    for match in matches {
      if match.lowerBound > place { pieces.append((place..<match.lowerBound, isInverted)) }
      pieces.append((match, !isInverted))
      place = match.upperBound
    }
    if place < bytes.count { pieces.append((place..<bytes.count, isInverted)) }
    switch behavior {
    case .isolated:
      for piece in pieces { emit(piece.range) }
    case .removed:
      for piece in pieces where !piece.isMatch { emit(piece.range) }
    case .contiguous:
      emitJoined(pieces, emit) { $0.isMatch == $1.isMatch }
    case .mergedWithPrevious:
      emitJoined(pieces, emit) { !$0.isMatch && $1.isMatch }
    case .mergedWithNext:
      emitJoined(pieces, emit) { $0.isMatch && !$1.isMatch }
    }
  }

  /// Joins neighbours for which `joins` returns true; a joined piece is a match if its last part
  /// is.
  private static func emitJoined(
    _ pieces: [(range: Range<Int>, isMatch: Bool)], _ emit: (Range<Int>) -> Void,
    _ joins: ((range: Range<Int>, isMatch: Bool), (range: Range<Int>, isMatch: Bool)) -> Bool
  ) {
    guard var current = pieces.first else { return }
    for piece in pieces.dropFirst() {
      if joins(current, piece) {
        current = (current.range.lowerBound..<piece.range.upperBound, piece.isMatch)
      } else {
        emit(current.range)
        current = piece
      }
    }
    emit(current.range)
  }
}
