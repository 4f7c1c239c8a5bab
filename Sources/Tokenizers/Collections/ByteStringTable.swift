/// Distinct byte strings numbered 0, 1, 2, … in the order of insertion.
///
/// One arena holds the bytes; the index is a flat open-addressing hash table with linear probing,
/// at most half full. The hash function is fixed, so every process gets the same numbers.
struct ByteStringTable: Sendable {
  private var arena: [UInt8] = []
  /// String `i` is `arena[ends[i]..<ends[i + 1]]`.
  private var ends: [Int] = [0]
  /// 0 for a free slot, otherwise the high 32 bits of the hash above the string's number plus one.
  private var slots: [UInt64]

  /// Creates a table with room for `capacity` strings before it grows.
  init(capacity: Int = 0) {
    var size = 16
    while size < capacity * 2 { size *= 2 }
    slots = [UInt64](repeating: 0, count: size)
  }

  var count: Int { ends.count - 1 }

  subscript(index: Int) -> ArraySlice<UInt8> { arena[ends[index]..<ends[index + 1]] }

  /// Returns the number of `string`; nil when the table does not contain it.
  @inline(__always)
  func find(_ string: UnsafeBufferPointer<UInt8>) -> Int? {
    let found = slots[slot(of: string, hash: Self.hash(string))]
    return found == 0 ? nil : Int(found & 0xFFFF_FFFF) - 1
  }

  /// Returns the number of `string`; nil when the table does not contain it.
  func find(_ string: [UInt8]) -> Int? {
    string.withUnsafeBufferPointer { find($0) }
  }

  /// Inserts `string` unless the table contains it, and returns its number.
  mutating func insert(_ string: UnsafeBufferPointer<UInt8>) -> (index: Int, inserted: Bool) {
    let hash = Self.hash(string)
    let place = slot(of: string, hash: hash)
    if slots[place] != 0 { return (Int(slots[place] & 0xFFFF_FFFF) - 1, false) }
    let index = count
    precondition(index < Int(UInt32.max), "more than 2³² − 1 distinct byte strings")
    arena.append(contentsOf: string)
    ends.append(arena.count)
    slots[place] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(index + 1)
    if count * 2 > slots.count { grow() }
    return (index, true)
  }

  /// Inserts `string` unless the table contains it, and returns its number.
  mutating func insert(_ string: [UInt8]) -> (index: Int, inserted: Bool) {
    string.withUnsafeBufferPointer { insert($0) }
  }

  /// Returns the index of the slot that holds `string`, or of the free slot where it belongs.
  @inline(__always)
  private func slot(of string: UnsafeBufferPointer<UInt8>, hash: UInt64) -> Int {
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: hash >> 32) & mask
    while true {
      let slot = slots[place]
      if slot == 0 { return place }
      if slot >> 32 == hash >> 32, equals(Int(slot & 0xFFFF_FFFF) - 1, string) { return place }
      place = (place + 1) & mask
    }
  }

  @inline(__always)
  private func equals(_ index: Int, _ string: UnsafeBufferPointer<UInt8>) -> Bool {
    let start = ends[index]
    guard ends[index + 1] - start == string.count else { return false }
    return arena.withUnsafeBufferPointer { arena in
      for offset in 0..<string.count where arena[start + offset] != string[offset] {
        return false
      }
      return true
    }
  }

  private mutating func grow() {
    let old = slots
    slots = [UInt64](repeating: 0, count: old.count * 2)
    let mask = slots.count - 1
    for entry in old where entry != 0 {
      // The tag is the hash's high half, which also determines the slot.
      var place = Int(truncatingIfNeeded: entry >> 32) & mask
      while slots[place] != 0 { place = (place + 1) & mask }
      slots[place] = entry
    }
  }

  /// A multiply–xorshift hash over words of eight bytes; its high half is well mixed.
  @inline(__always)
  private static func hash(_ string: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash = UInt64(truncatingIfNeeded: string.count) &* 0x9E37_79B9_7F4A_7C15
    let bytes = UnsafeRawBufferPointer(string)
    var offset = 0
    while offset + 8 <= bytes.count {
      hash = mix(hash ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian)
      offset += 8
    }
    var tail: UInt64 = 0
    while offset < bytes.count {
      tail = tail << 8 | UInt64(bytes[offset])
      offset += 1
    }
    return mix(hash ^ tail)
  }

  @inline(__always)
  private static func mix(_ word: UInt64) -> UInt64 {
    let product = (word ^ word >> 32) &* 0xD6E8_FEB8_6659_FD93
    return (product ^ product >> 32) &* 0xD6E8_FEB8_6659_FD93
  }
}
