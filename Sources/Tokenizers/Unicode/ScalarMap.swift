/// A map from scalars to short sequences of scalars, such as a decomposition.
struct ScalarMap: Sendable {
  /// The page number of each block of 256 scalars, from 1; 0 when none of them is in the map.
  private var pages = [UInt16](repeating: 0, count: 0x1100)
  /// The entry number plus one of each scalar of a page; 0 when it has none.
  private var entries: [UInt16] = []
  /// Entry `i` is `targets[starts[i]..<starts[i + 1]]`.
  private var starts: [UInt32] = [0]
  private var targets: [UInt32] = []

  /// Creates the map with the given entries.
  private init(_ entries: some Sequence<(scalar: Int, sequence: [UInt32])>) {
    for (scalar, sequence) in entries {
      if pages[scalar >> 8] == 0 {
        self.entries += repeatElement(0, count: 256)
        pages[scalar >> 8] = UInt16(self.entries.count / 256)
      }
      targets += sequence
      starts.append(UInt32(targets.count))
      self.entries[(Int(pages[scalar >> 8]) - 1) * 256 + scalar & 0xFF] = UInt16(starts.count - 1)
    }
  }

  /// Creates the map of the scalars of Unicode `version` to the sequences that `sequence` returns,
  /// and of `others`.
  private init(
    version: Int, adding others: [(scalar: Int, sequence: [UInt32])] = [],
    _ sequence: (Unicode.Scalar.Properties) -> [UInt32]?
  ) {
    // The end is past the last cased letter and the last combining mark of Unicode 16.0.
    let known = (0..<0x1EA00).compactMap { value -> (scalar: Int, sequence: [UInt32])? in
      guard let scalar = Unicode.Scalar(UInt32(value)), let sequence = sequence(scalar.properties),
        scalar.isKnown(to: version)
      else { return nil }
      return (value, sequence)
    }
    self.init(known + others)
  }

  /// Returns the entries of `table`, which is one of `UnicodeTables`, in order.
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

  /// Canonical decompositions, in full.
  static let canonical = ScalarMap(entries(of: UnicodeTables.canonical))
  /// Compatibility decompositions, in full, where they differ from the canonical ones.
  static let compatible = ScalarMap(entries(of: UnicodeTables.compatible))
  /// Canonical combining classes other than 0 of Unicode 9.0, which is the crate's normalization.
  static let combiningClasses = ScalarMap(version: 9) { properties in
    let combiningClass = properties.canonicalCombiningClass
    return combiningClass == .notReordered ? nil : [UInt32(combiningClass.rawValue)]
  }
  /// Lower case in Unicode 17.0, whose new letters are listed since a toolchain may not know them.
  static let lowercase: ScalarMap = {
    let new = [0xA7CE, 0xA7D2, 0xA7D4].map { (scalar: $0, sequence: [UInt32($0 + 1)]) }
    let beriaErfe = (0x16EA0...0x16EB8).map { (scalar: $0, sequence: [UInt32($0 + 27)]) }
    return ScalarMap(version: 16, adding: new + beriaErfe) { properties in
      guard properties.changesWhenLowercased else { return nil }
      return properties.lowercaseMapping.unicodeScalars.map(\.value)
    }
  }()
}

/// Reads the numbers of a table in `UnicodeTables`, which are little-endian base-128.
struct TableNumbers {
  private let bytes: [UInt8]
  private var position = 0

  init(_ table: String) {
    bytes = Base64.decode(table.utf8) ?? []
    precondition(!bytes.isEmpty, "a table of UnicodeTables is not base 64")
  }

  /// Returns the next number; nil at the end.
  mutating func next() -> Int? {
    var value = 0
    var shift = 0
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      value |= Int(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }
}
