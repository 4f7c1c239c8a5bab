/// A set of scalars in a pattern, such as a literal or a character class.
struct PatternSet: Sendable, Hashable {
  enum Item: Sendable, Hashable {
    case range(ClosedRange<UInt32>)
    /// The scalars of these general categories, given as bits.
    case categories(UInt32)
    case whiteSpace
    /// The complement of an item: `\P{…}`, `\S`.
    indirect case not(Item)
  }

  private(set) var items: [Item] = []
  var isNegated = false
  /// The membership of each ASCII scalar as bits, computed by `complete`.
  private var ascii: (UInt64, UInt64) = (0, 0)

  static func == (a: PatternSet, b: PatternSet) -> Bool {
    a.items == b.items && a.isNegated == b.isNegated
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(items)
    hasher.combine(isNegated)
  }

  init(_ items: [Item] = []) {
    self.items = items
  }

  mutating func add(_ item: Item) { items.append(item) }

  /// Adds the other case of every ASCII letter, and the two scalars outside ASCII that fold to one.
  mutating func foldCase() {
    for item in items {
      guard case .range(let range) = item else { continue }
      for letter in UInt32(0x41)...0x5A {
        let isIn = range.contains(letter) || range.contains(letter + 32)
        guard isIn else { continue }
        items.append(.range(letter...letter))
        items.append(.range(letter + 32...letter + 32))
        if letter == 0x53 { items.append(.range(0x17F...0x17F)) }
        if letter == 0x4B { items.append(.range(0x212A...0x212A)) }
      }
    }
  }

  /// Computes the table of ASCII members; call it after the last change.
  mutating func complete() {
    var words: [UInt64] = [0, 0]
    for scalar in UInt32(0)..<0x80 where contains(slowly: scalar) {
      words[Int(scalar >> 6)] |= 1 << UInt64(scalar & 63)
    }
    ascii = (words[0], words[1])
  }

  /// Returns true when `scalar` is in the set, which must be complete.
  @inline(__always)
  func contains(_ scalar: UInt32) -> Bool {
    if scalar < 0x40 { return ascii.0 >> UInt64(scalar) & 1 == 1 }
    if scalar < 0x80 { return ascii.1 >> UInt64(scalar - 0x40) & 1 == 1 }
    return contains(slowly: scalar)
  }

  private func contains(slowly scalar: UInt32) -> Bool {
    items.contains { Self.contains($0, scalar) } != isNegated
  }

  private static func contains(_ item: Item, _ scalar: UInt32) -> Bool {
    switch item {
    case .range(let range): range.contains(scalar)
    case .categories(let mask): GeneralCategories.unicode16.bit(of: scalar) & mask != 0
    case .whiteSpace: isWhiteSpace(scalar)
    case .not(let item): !contains(item, scalar)
    }
  }
}
