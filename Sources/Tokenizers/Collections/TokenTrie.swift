/// A trie of byte strings with ids, which finds those that are prefixes of a text.
///
/// The edges are one flat hash table, those of the root an array. A step costs one probe.
struct TokenTrie: Sendable {
  /// The value for no node.
  private static let none = UInt32.max

  private var roots = [UInt32](repeating: TokenTrie.none, count: 256)
  private var edges = PairTable()
  /// The id that ends at each node, or -1; node 0 is the root.
  private var ends: [TokenID] = [-1]

  init(_ entries: some Sequence<(token: [UInt8], id: TokenID)>) {
    for (token, id) in entries { insert(token, id) }
  }

  /// Inserts `token`; of two equal strings the first keeps its id.
  mutating func insert(_ token: [UInt8], _ id: TokenID) {
    guard let first = token.first else { return }
    if roots[Int(first)] == Self.none {
      roots[Int(first)] = UInt32(ends.count)
      ends.append(-1)
    }
    var node = roots[Int(first)]
    for byte in token.dropFirst() {
      let new = UInt32(ends.count)
      node = edges.insert(TokenPair(node, UInt32(byte)), number: new)
      if node == new { ends.append(-1) }
    }
    if ends[Int(node)] < 0 { ends[Int(node)] = id }
  }

  /// Returns true when any string begins with `byte`.
  @inline(__always)
  func hasRoot(_ byte: UInt8) -> Bool { roots[Int(byte)] != Self.none }

  /// Calls `visit` with the end and the id of every string that begins at `start`, shortest first.
  @inline(__always)
  func forEachPrefix(
    of text: UnsafeBufferPointer<UInt8>, at start: Int, _ visit: (Int, TokenID) -> Void
  ) {
    var node = roots[Int(text[start])]
    var end = start + 1
    while node != Self.none {
      if ends[Int(node)] >= 0 { visit(end, ends[Int(node)]) }
      if end == text.count { return }
      node = edges.number(of: TokenPair(node, UInt32(text[end])))
      end += 1
    }
  }

  /// Returns the end and the id of the longest string that begins at `start`; nil when there is
  /// none.
  @inline(__always)
  func longestPrefix(
    of text: UnsafeBufferPointer<UInt8>, at start: Int
  ) -> (end: Int, id: TokenID)? {
    var best: (end: Int, id: TokenID)?
    forEachPrefix(of: text, at: start) { best = ($0, $1) }
    return best
  }
}
