/// Unigram: the segmentation of a word with the highest sum of scores (Kudo, "Subword
/// regularization", 2018), found by Viterbi's algorithm in one pass.
///
/// Sums have 64 bits and are compared in the order of Hugging Face tokenizers, so that ties are
/// broken in the same way.
struct UnigramModel: TokenizerModel {
  private let trie: TokenTrie
  private let scores: [Double]
  private let unknownID: TokenID
  private let unknownScore: Double
  /// The ids of the 256 bytes when unknown characters fall back to bytes; otherwise nil.
  private let byteTokens: [TokenID]?

  /// The amount by which a character without a piece scores below the least likely piece.
  var unknown: TokenID? { unknownID }

  private static let unknownPenalty = 10.0

  /// Creates a model of `pieces`, whose index is their id; scores are log-probabilities.
  init(
    _ pieces: [(token: [UInt8], score: Double)], unknown: TokenID, byteTokens: [TokenID]?
  ) {
    trie = TokenTrie(
      pieces.enumerated().lazy.map { (token: $0.element.token, id: TokenID($0.offset)) })
    scores = pieces.map(\.score)
    unknownID = unknown
    unknownScore = (scores.min() ?? 0) - Self.unknownPenalty
    self.byteTokens = byteTokens
  }

  /// The best segmentation up to a position in the word.
  private struct Node {
    var score: Double
    /// The start of its last piece; −1 when there is no segmentation yet.
    var start: Int
    var id: TokenID
  }

  func tokenize(_ word: UnsafeBufferPointer<UInt8>, into tokens: inout TokenBuffer) {
    withUnsafeTemporaryAllocation(of: Node.self, capacity: word.count + 1) { nodes in
      nodes.initialize(repeating: Node(score: 0, start: -1, id: 0))
      fill(nodes, for: word)
      // Backtracks and reverses the path in place: a node's `start` becomes the end of the next
      // piece.
      var end = word.count
      var next = -1
      while end > 0 {
        let start = nodes[end].start
        nodes[end].start = next
        next = end
        end = start
      }
      emit(nodes, first: next, word, into: &tokens)
    }
  }

  private func fill(_ nodes: UnsafeMutableBufferPointer<Node>, for word: UnsafeBufferPointer<UInt8>)
  {
    var start = 0
    while start < word.count {
      let score = nodes[start].score
      let single = start + word.scalar(at: start).length
      var hasSingle = false
      trie.forEachPrefix(of: word, at: start) { end, id in
        let candidate = scores[Int(id)] + score
        if nodes[end].start < 0 || candidate > nodes[end].score {
          nodes[end] = Node(score: candidate, start: start, id: id)
        }
        if end == single { hasSingle = true }
      }
      if !hasSingle {
        let candidate = unknownScore + score
        if nodes[single].start < 0 || candidate > nodes[single].score {
          nodes[single] = Node(score: candidate, start: start, id: unknownID)
        }
      }
      start = single
    }
  }

  /// Appends the pieces; adjacent unknown pieces become one.
  private func emit(
    _ nodes: UnsafeMutableBufferPointer<Node>, first: Int, _ word: UnsafeBufferPointer<UInt8>,
    into tokens: inout TokenBuffer
  ) {
    var start = 0
    var end = first
    while end >= 0 {
      let id = nodes[end].id
      var next = nodes[end].start
      if id == unknownID {
        while next >= 0, nodes[next].id == unknownID {
          end = next
          next = nodes[end].start
        }
        appendUnknown(word, start, end, into: &tokens)
      } else {
        tokens.append(id, start, end)
      }
      start = end
      end = next
    }
  }

  private func appendUnknown(
    _ word: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int, into tokens: inout TokenBuffer
  ) {
    let piece = UnsafeBufferPointer(rebasing: word[start..<end])
    if let (length, id) = trie.longestPrefix(of: piece, at: 0), length == piece.count {
      return tokens.append(id, start, end)
    }
    guard let byteTokens else { return tokens.append(unknownID, start, end) }
    for byte in piece { tokens.append(byteTokens[Int(byte)], start, end) }
  }
}
