/// Suggestions for misspelt keys and subcommands.
package enum Spelling {
  /// The key or section most similar to `written`, the first of equals, or nil if none is similar.
  ///
  /// It compares whole paths, and the last components alone, for a correct key in the wrong
  /// section. Case, `_` and `-` are ignored, so that `learning_rate` finds `learningRate`.
  ///
  /// A name that other trainers use, such as `lr`, stands for the key of the same meaning.
  package static func nearest(to written: String, among keys: [String]) -> String? {
    if let key = key(elsewhereCalled: written), keys.contains(key) { return key }
    var candidates = keys
    // Sections are candidates too: `optimiser:` stands for `optimizer:`.
    for section in keys.flatMap(sections(of:)) where !candidates.contains(section) {
      candidates.append(section)
    }
    var best: (key: String, cost: Double)?
    for candidate in candidates {
      guard let cost = cost(of: candidate, for: written) else { continue }
      if cost < best?.cost ?? .infinity { best = (candidate, cost) }
    }
    return best?.key
  }

  /// The sections that the key `path` is in, the innermost first.
  static func sections(of path: String) -> [String] {
    let words = path.split(separator: ".", omittingEmptySubsequences: false)
    return (1..<words.count).reversed().map { words[..<$0].joined(separator: ".") }
  }

  /// The distance of `candidate` from `written`, or nil if it is too large for a suggestion.
  private static func cost(of candidate: String, for written: String) -> Double? {
    let whole = distance(plain(written), plain(candidate))
    let (word, other) = (plain(lastWord(written)), plain(lastWord(candidate)))
    let last = distance(word, other)
    var costs: [Double] = []
    // Up to a third of the letters may be wrong, and at least one.
    if whole <= max(1, plain(written).count / 3) { costs.append(Double(whole)) }
    if last <= max(1, word.count / 3), word.count > 2 { costs.append(Double(last) + 0.5) }
    // One word is a prefix of the other.
    if min(word.count, other.count) >= 3, word.starts(with: other) || other.starts(with: word) {
      costs.append(1.75)
    }
    return costs.min()
  }

  static func lastWord(_ path: String) -> Substring {
    path[(path.lastIndex(of: ".").map(path.index(after:)) ?? path.startIndex)...]
  }

  /// Returns the characters of a name in lower case, without `_` and `-`.
  package static func plain(_ text: some StringProtocol) -> [Character] {
    // Only the beginning of an overlong name is compared: the distance takes quadratic time.
    Array(text.prefix(80).lowercased()).filter { $0 != "_" && $0 != "-" }
  }

  /// The Damerau–Levenshtein distance (optimal string alignment): the number of insertions,
  /// deletions, substitutions and swaps of neighbours that turn `a` into `b`.
  static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var before: [Int] = []
    var previous = Array(0...b.count)
    for i in 0..<a.count {
      var current = [i + 1]
      for j in 0..<b.count {
        var cost = min(
          previous[j] + (a[i] == b[j] ? 0 : 1), previous[j + 1] + 1, current[j] + 1)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          cost = min(cost, before[j - 1] + 1)
        }
        current.append(cost)
      }
      (before, previous) = (previous, current)
    }
    return previous[b.count]
  }
}
