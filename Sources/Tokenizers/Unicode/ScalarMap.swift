/// A map from scalars to short sequences of scalars, such as a decomposition.
struct ScalarMap: Sendable {
  /// The page number of each block of 256 scalars, from 1; 0 when none of them is in the map.
  private var pages = [UInt16](repeating: 0, count: 0x1100)
  /// The entry number plus one of each scalar of a page; 0 when it has none.
  private var entries: [UInt16] = []
  /// Entry `i` is `targets[starts[i]..<starts[i + 1]]`.
  private var starts: [UInt32] = [0]
  private var targets: [UInt32] = []

  /// Reads the map from `table`, which is one of `UnicodeTables`.
  init(table: String) {
    for (scalar, sequence) in Self.entries(of: table) {
      if pages[scalar >> 8] == 0 {
        entries += repeatElement(0, count: 256)
        pages[scalar >> 8] = UInt16(entries.count / 256)
      }
      targets += sequence
      starts.append(UInt32(targets.count))
      entries[(Int(pages[scalar >> 8]) - 1) * 256 + scalar & 0xFF] = UInt16(starts.count - 1)
    }
  }

  /// Returns the entries of `table` in order.
  static func entries(of table: String) -> [(scalar: Int, sequence: [UInt32])] {
    var numbers = TableNumbers(table)
    var scalar = 0
    var entries: [(scalar: Int, sequence: [UInt32])] = []
    while let distance = numbers.next(), let count = numbers.next() {
      scalar += distance
      entries.append((scalar, (0..<count).compactMap { _ in numbers.next().map(UInt32.init) }))
    }
    return entries
  }

  /// The scalars that `scalar` maps to; nil when it is not in the map.
  @inline(__always)
  subscript(scalar: UInt32) -> ArraySlice<UInt32>? {
    guard scalar < 0x110000 else { return nil }
    let page = Int(pages[Int(scalar >> 8)])
    if page == 0 { return nil }
    let entry = Int(entries[(page - 1) * 256 + Int(scalar & 0xFF)])
    return entry == 0 ? nil : targets[Int(starts[entry - 1])..<Int(starts[entry])]
  }

  static let canonical = ScalarMap(table: UnicodeTables.canonical)
  static let compatible = ScalarMap(table: UnicodeTables.compatible)
  static let combiningClasses = ScalarMap(table: UnicodeTables.combiningClasses)
  static let lowercase = ScalarMap(table: UnicodeTables.lowercase)
}
