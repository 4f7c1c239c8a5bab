/// The normalization forms of Unicode (UAX #15).
///
/// Each scalar of the result records the number of source scalars that it replaces, from which
/// `NormalizedText` derives its origins.
///
/// The changes follow those of Hugging Face tokenizers: 0 for a scalar that replaces one, 1 for an
/// inserted scalar, −n for a scalar that replaces n + 1.
struct UnicodeNormalization {
  /// The four forms.
  enum Form: String, CaseIterable, Sendable {
    case nfc = "NFC"
    case nfd = "NFD"
    case nfkc = "NFKC"
    case nfkd = "NFKD"

    var isCompatible: Bool { self == .nfkc || self == .nfkd }
    var composes: Bool { self == .nfc || self == .nfkc }
  }

  private let isCompatible: Bool
  private var result: [ScalarChange] = []
  /// The combining class of each scalar of `result`.
  private var classes: [UInt8] = []
  /// The index at which the scalars not yet in canonical order begin.
  private var unsorted = 0

  /// Returns `bytes` in the normalization form `form`.
  static func normalize(_ bytes: [UInt8], to form: Form) -> [ScalarChange] {
    var normalization = UnicodeNormalization(isCompatible: form.isCompatible)
    normalization.result.reserveCapacity(bytes.count)
    bytes.withUnsafeBufferPointer { bytes in
      var index = 0
      while index < bytes.count {
        let read = bytes.scalar(at: index)
        normalization.decompose(read.value)
        index += read.length
      }
    }
    normalization.sort()
    if form.composes { normalization.compose() }
    return normalization.result
  }

  private init(isCompatible: Bool) {
    self.isCompatible = isCompatible
  }

  private mutating func decompose(_ scalar: UInt32) {
    if scalar < 0x80 { return push(scalar, change: 0, combiningClass: 0) }
    if let parts = Hangul.decompose(scalar) {
      for (index, part) in parts.enumerated() where part != 0 {
        push(part, change: index == 0 ? 0 : 1, combiningClass: 0)
      }
      return
    }
    let compatible = isCompatible ? ScalarMap.compatible[scalar] : nil
    guard let parts = compatible ?? ScalarMap.canonical[scalar] else {
      return push(scalar, change: 0, combiningClass: Self.combiningClass(scalar))
    }
    for (index, part) in parts.enumerated() {
      push(part, change: index == 0 ? 0 : 1, combiningClass: Self.combiningClass(part))
    }
  }

  static func combiningClass(_ scalar: UInt32) -> UInt8 {
    ScalarMap.combiningClasses[scalar]?.first.map { UInt8($0) } ?? 0
  }

  private mutating func push(_ scalar: UInt32, change: Int, combiningClass: UInt8) {
    if combiningClass == 0 { sort() }
    result.append(ScalarChange(scalar, change))
    classes.append(combiningClass)
    if combiningClass == 0 { unsorted = result.count }
  }

  /// Sorts the marks since the last starter by combining class, stably.
  private mutating func sort() {
    if result.count - unsorted > 1 {
      let marks = (unsorted..<result.count).sorted { a, b in
        classes[a] == classes[b] ? a < b : classes[a] < classes[b]
      }
      let scalars = marks.map { result[$0] }
      let kinds = marks.map { classes[$0] }
      result.replaceSubrange(unsorted..., with: scalars)
      classes.replaceSubrange(unsorted..., with: kinds)
    }
    unsorted = result.count
  }

  /// Performs canonical composition: a scalar joins the last starter unless a scalar of the same or
  /// a higher class is between them.
  private mutating func compose() {
    var composed: [ScalarChange] = []
    composed.reserveCapacity(result.count)
    var starter: Int?
    var lastClass: UInt8?
    for (index, next) in result.enumerated() {
      let kind = classes[index]
      if let starter, (lastClass.map { $0 < kind } ?? true),
        let joined = Compositions.all.composite(of: composed[starter].scalar, next.scalar)
      {
        let change = composed[starter].change + next.change - 1
        composed[starter] = ScalarChange(joined, change)
        continue
      }
      composed.append(next)
      if kind == 0 {
        starter = composed.count - 1
        lastClass = nil
      } else if starter != nil {
        lastClass = kind
      }
    }
    result = composed
  }
}

/// A scalar of a changed text with the number of source scalars that it replaces.
struct ScalarChange {
  let scalar: UInt32
  /// 0: it replaces one scalar of the source; 1: it is inserted; −n: it replaces n + 1 scalars.
  let change: Int

  @inline(__always)
  init(_ scalar: UInt32, _ change: Int) {
    self.scalar = scalar
    self.change = change
  }
}

/// The arithmetic of Hangul syllables, section 3.12 of the Unicode Standard.
enum Hangul {
  /// Returns the three parts of a syllable, the last 0 when there are two; nil for other scalars.
  static func decompose(_ scalar: UInt32) -> [UInt32]? {
    guard (0xAC00..<0xD7A4).contains(scalar) else { return nil }
    let index = scalar - 0xAC00
    let trailing = index % 28
    return [
      0x1100 + index / 588, 0x1161 + index % 588 / 28, trailing == 0 ? 0 : 0x11A7 + trailing,
    ]
  }

  static func compose(_ first: UInt32, _ second: UInt32) -> UInt32? {
    if (0x1100..<0x1113).contains(first), (0x1161..<0x1176).contains(second) {
      return 0xAC00 + (first - 0x1100) * 588 + (second - 0x1161) * 28
    }
    if (0xAC00..<0xD7A4).contains(first), (first - 0xAC00) % 28 == 0,
      (0x11A8..<0x11C3).contains(second)
    {
      return first + second - 0x11A7
    }
    return nil
  }
}

/// The primary composites of Unicode.
struct Compositions: Sendable {
  static let all = Compositions()

  private var numbers = PairTable()

  /// Composes the canonical decompositions, the shorter first: a composite of three scalars is one
  /// of the first two with the third.
  private init() {
    let decompositions = ScalarMap.entries(of: UnicodeTables.canonical)
    for (composite, parts) in decompositions.sorted(by: { $0.sequence.count < $1.sequence.count }) {
      guard parts.count > 1, let scalar = Unicode.Scalar(UInt32(composite)),
        !scalar.properties.isFullCompositionExclusion
      else { continue }
      let first = parts[1..<parts.count - 1].reduce(parts[0]) {
        numbers.number(of: TokenPair($0, $1))
      }
      _ = numbers.insert(TokenPair(first, parts[parts.count - 1]), number: UInt32(composite))
    }
  }

  /// Returns the composite of the two scalars; nil when they do not compose.
  func composite(of first: UInt32, _ second: UInt32) -> UInt32? {
    if let syllable = Hangul.compose(first, second) { return syllable }
    let number = numbers.number(of: TokenPair(first, second))
    return number == PairTable.absent ? nil : number
  }
}
