/// A free list of memory pieces, sorted by address; adjacent pieces are merged.
struct FreeMemory {
  private var pieces: [Range<UInt>] = []

  /// Adds a piece, which must not overlap any other.
  mutating func add(_ piece: Range<UInt>) {
    guard !piece.isEmpty else { return }
    var place = pieces.firstIndex { $0.lowerBound >= piece.upperBound } ?? pieces.count
    var whole = piece
    if place < pieces.count, pieces[place].lowerBound == whole.upperBound {
      whole = whole.lowerBound..<pieces.remove(at: place).upperBound
    }
    if place > 0, pieces[place - 1].upperBound == whole.lowerBound {
      place -= 1
      whole = pieces.remove(at: place).lowerBound..<whole.upperBound
    }
    pieces.insert(whole, at: place)
  }

  /// Removes `bytes` from the smallest piece that is large enough (the first among equals) and
  /// returns their address; nil when no piece is large enough.
  mutating func take(_ bytes: Int) -> UInt? {
    var best: Int?
    for (place, piece) in pieces.enumerated() where piece.count >= bytes {
      if best.map({ piece.count < pieces[$0].count }) ?? true { best = place }
    }
    guard let best else { return nil }
    let piece = pieces.remove(at: best)
    let rest = piece.lowerBound + UInt(bytes)..<piece.upperBound
    if !rest.isEmpty { pieces.insert(rest, at: best) }
    return piece.lowerBound
  }

  /// Removes every part of `memory` from the list.
  mutating func remove(_ memory: Range<UInt>) {
    pieces = pieces.flatMap { piece in
      guard piece.overlaps(memory) else { return [piece] }
      return [
        piece.lowerBound..<max(piece.lowerBound, memory.lowerBound),
        min(piece.upperBound, memory.upperBound)..<piece.upperBound,
      ].filter { !$0.isEmpty }
    }
  }
}
