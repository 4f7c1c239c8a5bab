/// The initial pieces of Unigram training: every character, and the substrings of words with the
/// highest product of count and length.
///
/// The substrings are those at which the suffix tree of the words branches or ends, as in
/// sentencepiece: any other occurs exactly where a longer one does. Suffixes are sorted by their
/// first 16 scalars.
struct UnigramSeed {
  /// The greatest length of a piece, in scalars.
  private static let maximumLength = 16
  /// The greatest number of substrings.
  private static let limit = 1_000_000

  private let words: [(word: [UInt8], count: Int)]
  /// The scalars of all words, each word followed by a zero.
  private var scalars: [UInt32] = []
  /// The count of the word to which each scalar belongs.
  private var weights: [Int32] = []

  /// Returns the pieces of `words` with their weights: characters first, then substrings.
  static func pieces(
    of words: [(word: [UInt8], count: Int)]
  ) -> [(piece: [UInt8], weight: Double)] {
    var seed = UnigramSeed(words: words)
    return seed.characters() + seed.substrings()
  }

  private init(words: [(word: [UInt8], count: Int)]) {
    self.words = words
    for (word, count) in words {
      for scalar in String(decoding: word, as: UTF8.self).unicodeScalars {
        scalars.append(scalar.value)
        weights.append(Int32(clamping: count))
      }
      scalars.append(0)
      weights.append(0)
    }
    precondition(scalars.count < Int(Int32.max), "more than 2³¹ characters of distinct words")
  }

  private func characters() -> [(piece: [UInt8], weight: Double)] {
    var counts: [UInt32: Int] = [:]
    for (scalar, weight) in zip(scalars, weights) where scalar != 0 {
      counts[scalar, default: 0] += Int(weight)
    }
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { scalar, count in
      var piece: [UInt8] = []
      piece.append(scalar: scalar)
      return (piece, Double(count))
    }
  }

  /// Returns the number of scalars of the suffix at `place`, up to the maximum.
  private func length(_ place: Int32) -> Int {
    var length = 0
    while length < Self.maximumLength, scalars[Int(place) + length] != 0 { length += 1 }
    return length
  }

  private func commonLength(_ a: Int32, _ b: Int32) -> Int {
    var length = 0
    while length < Self.maximumLength {
      let scalar = scalars[Int(a) + length]
      if scalar == 0 || scalar != scalars[Int(b) + length] { return length }
      length += 1
    }
    return length
  }

  /// Returns the suffixes in ascending order, equal ones by their index.
  private func sortedSuffixes() -> [Int32] {
    // Three scalars form a key of 63 bits, which decides most comparisons.
    func key(_ place: Int) -> UInt64 {
      var key: UInt64 = 0
      var ended = false
      for offset in 0..<3 {
        let scalar = ended ? 0 : scalars[place + offset]
        ended = ended || scalar == 0
        key = key << 21 | UInt64(scalar)
      }
      return key
    }
    let suffixes = scalars.indices.filter { scalars[$0] != 0 }.map { (key($0), Int32($0)) }
    return suffixes.sorted { a, b in
      if a.0 != b.0 { return a.0 < b.0 }
      // A key that ends with a zero contains the whole suffix.
      if a.0 & 0x1F_FFFF == 0 { return a.1 < b.1 }
      for offset in 3..<Self.maximumLength {
        let (x, y) = (scalars[Int(a.1) + offset], scalars[Int(b.1) + offset])
        if x != y { return x < y }
        if x == 0 { break }
      }
      return a.1 < b.1
    }.map(\.1)
  }

  private struct Candidate {
    let score: Int
    let place: Int32
    let length: Int32
    /// The index in order of discovery, which breaks ties between equal scores.
    let number: Int
  }

  private mutating func substrings() -> [(piece: [UInt8], weight: Double)] {
    let suffixes = sortedSuffixes()
    var sums = [0]
    for place in suffixes { sums.append(sums[sums.count - 1] + Int(weights[Int(place)])) }
    var candidates: [Candidate] = []
    func add(_ length: Int, _ interval: Range<Int>) {
      let count = sums[interval.upperBound] - sums[interval.lowerBound]
      guard length > 1, count > 1 else { return }
      candidates.append(
        Candidate(
          score: count * length, place: suffixes[interval.lowerBound], length: Int32(length),
          number: candidates.count))
    }
    // The open intervals of suffixes with a common prefix form a stack, deepest last.
    var open: [(length: Int, start: Int)] = [(0, 0)]
    var before = 0
    for index in suffixes.indices {
      let after =
        index + 1 < suffixes.count ? commonLength(suffixes[index], suffixes[index + 1]) : 0
      let whole = length(suffixes[index])
      if whole > max(before, after) { add(whole, index..<index + 1) }
      var start = index
      while let last = open.last, last.length > after {
        add(last.length, last.start..<index + 1)
        start = last.start
        open.removeLast()
      }
      if let last = open.last, last.length < after { open.append((after, start)) }
      before = after
    }
    candidates.sort { ($1.score, $0.number) < ($0.score, $1.number) }
    return candidates.prefix(Self.limit).map { candidate in
      var piece: [UInt8] = []
      for offset in 0..<Int(candidate.length) {
        piece.append(scalar: scalars[Int(candidate.place) + offset])
      }
      return (piece, Double(candidate.score))
    }
  }
}
