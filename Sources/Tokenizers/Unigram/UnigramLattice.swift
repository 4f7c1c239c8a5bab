import Glibc

/// The pieces of a Unigram model in training; computes over all segmentations of a word into them.
struct UnigramLattice: Sendable {
  private let trie: TokenTrie
  private let scores: [Double]
  private let unknownScore: Double
  /// The piece number of a character that no piece covers.
  static let unknown = -1

  /// Creates a lattice of `pieces`, whose index is their number, with log-probabilities `scores`.
  init(_ pieces: [[UInt8]], scores: [Double]) {
    trie = TokenTrie(pieces.enumerated().lazy.map { (token: $0.element, id: TokenID($0.offset)) })
    self.scores = scores
    unknownScore = (scores.min() ?? 0) - 10
  }

  /// Calls `visit` with start, end, piece and score of every edge of `word`, in ascending order of
  /// starts.
  @inline(__always)
  private func forEachEdge(
    of word: UnsafeBufferPointer<UInt8>, _ visit: (Int, Int, Int, Double) -> Void
  ) {
    var start = 0
    while start < word.count {
      let single = start + word.scalar(at: start).length
      var hasSingle = false
      trie.forEachPrefix(of: word, at: start) { end, id in
        visit(start, end, Int(id), scores[Int(id)])
        if end == single { hasSingle = true }
      }
      if !hasSingle { visit(start, single, Self.unknown, unknownScore) }
      start = single
    }
  }

  /// Returns the best segmentation of `word` and its score, by Viterbi's algorithm.
  ///
  /// `excludingWhole` restricts it to segmentations into several pieces. The result is empty, with
  /// score −∞, when there is none.
  func best(
    _ word: UnsafeBufferPointer<UInt8>, excludingWhole: Bool = false
  ) -> (pieces: [Int], score: Double) {
    var best = [(score: Double, start: Int, piece: Int)](
      repeating: (-.infinity, -1, 0), count: word.count + 1)
    best[0].score = 0
    forEachEdge(of: word) { start, end, piece, score in
      if excludingWhole, start == 0, end == word.count { return }
      let candidate = best[start].score + score
      if candidate > best[end].score { best[end] = (candidate, start, piece) }
    }
    guard word.isEmpty || best[word.count].start >= 0 else { return ([], -.infinity) }
    var pieces: [Int] = []
    var end = word.count
    while end > 0 {
      pieces.append(best[end].piece)
      end = best[end].start
    }
    return (pieces.reversed(), best[word.count].score)
  }

  /// Adds to `expected` the expected number of occurrences of each piece in `word`, times `count`,
  /// by the forward–backward algorithm: the log-posterior of an edge is α(start) + score + β(end) −
  /// z.
  func addExpectations(
    of word: UnsafeBufferPointer<UInt8>, count: Int, to expected: inout [Double]
  ) {
    var forward = [Double](repeating: -.infinity, count: word.count + 1)
    var backward = forward
    forward[0] = 0
    var edges: [(start: Int, end: Int, piece: Int, score: Double)] = []
    forEachEdge(of: word) { start, end, piece, score in
      forward[end] = Self.logSumExp(forward[end], forward[start] + score)
      edges.append((start, end, piece, score))
    }
    backward[word.count] = 0
    for edge in edges.reversed() {
      backward[edge.start] = Self.logSumExp(backward[edge.start], edge.score + backward[edge.end])
    }
    let total = forward[word.count]
    for edge in edges where edge.piece != Self.unknown {
      let posterior = exp(forward[edge.start] + edge.score + backward[edge.end] - total)
      expected[edge.piece] += Double(count) * posterior
    }
  }

  /// Returns log(exp(a) + exp(b)).
  private static func logSumExp(_ a: Double, _ b: Double) -> Double {
    let (low, high) = a < b ? (a, b) : (b, a)
    return low == -.infinity ? high : high + log1p(exp(low - high))
  }
}
