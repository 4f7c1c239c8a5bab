/// An exact map from pairs of tokens to numbers: a flat open-addressing hash table with linear
/// probing, at most half full.
struct PairTable: Sendable {
  /// The number that stands for a pair absent from the table.
  static let absent = UInt32.max

  private struct Slot: Sendable {
    var key: UInt64
    var number: UInt32
  }

  private var slots: [Slot]
  private var count = 0

  /// Creates a table with room for `capacity` pairs before it grows.
  init(capacity: Int = 0) {
    var size = 16
    while size < capacity * 2 { size *= 2 }
    slots = Array(repeating: Slot(key: TokenPair.freeKey, number: Self.absent), count: size)
  }

  /// Returns the number of `pair`, or `absent`.
  @inline(__always)
  func number(of pair: TokenPair) -> UInt32 {
    slots[place(of: pair)].number
  }

  /// Inserts `pair` with `number` unless the table contains it, and returns the pair's number.
  @inline(__always)
  mutating func insert(_ pair: TokenPair, number: UInt32) -> UInt32 {
    let place = place(of: pair)
    if slots[place].key == pair.key { return slots[place].number }
    slots[place] = Slot(key: pair.key, number: number)
    count += 1
    if count * 2 > slots.count { grow() }
    return number
  }

  @inline(__always)
  private func place(of pair: TokenPair) -> Int {
    let mask = slots.count - 1
    var place = pair.hash & mask
    while slots[place].key != pair.key, slots[place].key != TokenPair.freeKey {
      place = (place + 1) & mask
    }
    return place
  }

  private mutating func grow() {
    let old = slots
    slots = Array(
      repeating: Slot(key: TokenPair.freeKey, number: Self.absent), count: old.count * 2)
    for slot in old where slot.key != TokenPair.freeKey {
      let pair = TokenPair(
        UInt32(truncatingIfNeeded: slot.key >> 32), UInt32(truncatingIfNeeded: slot.key))
      slots[place(of: pair)] = slot
    }
  }
}
