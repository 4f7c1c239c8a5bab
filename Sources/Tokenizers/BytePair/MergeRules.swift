/// The merges of a BPE and the loops that apply them to one word.
///
/// Definition of the result: while any two neighbours have a merge, apply the merge of lowest rank,
/// leftmost first. Source: Sennrich et al., "Neural machine translation of rare words with subword
/// units" (2016). The ids equal those of Hugging Face tokenizers.
struct MergeRules: Sendable {
  /// The token of each byte in a byte-level BPE; empty for other models.
  let byteIDs: [UInt32]
  /// The rank of each pair, which is the index of its merge.
  let ranks: PairTable
  /// The token that results from the merge of each rank.
  let results: [UInt32]

  /// The number of symbols up to which a linear scan for the lowest rank beats a heap.
  private static let scanLimit = 32

  /// Appends the tokens of `word` to `ids`.
  @inline(__always)
  func append(_ word: UnsafeBufferPointer<UInt8>, to ids: inout [TokenID]) {
    guard !word.isEmpty else { return }
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 2 * word.count) { scratch in
      let symbols = UnsafeMutableBufferPointer(rebasing: scratch[..<word.count])
      for index in 0..<word.count {
        symbols.initializeElement(at: index, to: byteIDs[Int(word[index])])
      }
      let count = merge(
        symbols, count: word.count,
        scratch: UnsafeMutableBufferPointer(rebasing: scratch[word.count...]))
      for index in 0..<count { ids.append(TokenID(bitPattern: symbols[index])) }
    }
  }

  /// Merges the first `count` of `symbols` in place and returns the number of symbols that remain;
  /// `scratch` has room for `count` elements.
  @inline(__always)
  func merge(
    _ symbols: UnsafeMutableBufferPointer<UInt32>, count: Int,
    scratch: UnsafeMutableBufferPointer<UInt32>
  ) -> Int {
    if count < 2 { return count }
    return count <= Self.scanLimit
      ? mergeByScanning(symbols, count, scratch) : mergeByHeap(symbols, count)
  }

  private func mergeByScanning(
    _ symbols: UnsafeMutableBufferPointer<UInt32>, _ start: Int,
    _ pairRanks: UnsafeMutableBufferPointer<UInt32>
  ) -> Int {
    // pairRanks[i] is the rank of the pair (i, i + 1).
    var count = start
    for index in 0..<count - 1 {
      let rank = ranks.number(of: TokenPair(symbols[index], symbols[index + 1]))
      pairRanks.initializeElement(at: index, to: rank)
    }
    while true {
      var best = 0
      var bestRank = PairTable.absent
      for index in 0..<count - 1 where pairRanks[index] < bestRank {
        bestRank = pairRanks[index]
        best = index
      }
      if bestRank == PairTable.absent { return count }
      symbols[best] = results[Int(bestRank)]
      count -= 1
      var index = best + 1
      while index < count {
        symbols[index] = symbols[index + 1]
        pairRanks[index - 1] = pairRanks[index]
        index += 1
      }
      if best > 0 {
        pairRanks[best - 1] = ranks.number(of: TokenPair(symbols[best - 1], symbols[best]))
      }
      if best + 1 < count {
        pairRanks[best] = ranks.number(of: TokenPair(symbols[best], symbols[best + 1]))
      }
    }
  }

  /// Merges n symbols in O(n log n).
  ///
  /// The symbols form a doubly linked list, and a heap holds the candidates (rank above position).
  /// An outdated candidate is recognised when it is popped.
  private func mergeByHeap(_ symbols: UnsafeMutableBufferPointer<UInt32>, _ count: Int) -> Int {
    precondition(count < Int(Int32.max), "a word of 2³¹ symbols or more; split the document")
    // `count` marks the end of the list, −1 its beginning.
    var next = (0..<count).map { Int32($0 + 1) }
    var previous = (0..<count).map { Int32($0 - 1) }
    // The current rank of the pair that starts at each position; `absent` for a merged-away symbol.
    var pairRanks = [UInt32](repeating: PairTable.absent, count: count)
    var candidates: [UInt64] = []
    for index in 0..<count - 1 {
      let rank = ranks.number(of: TokenPair(symbols[index], symbols[index + 1]))
      if rank == PairTable.absent { continue }
      pairRanks[index] = rank
      candidates.append(UInt64(rank) << 32 | UInt64(index))
    }
    var queue = BinaryHeap(candidates)

    func rankPair(at left: Int, _ queue: inout BinaryHeap<UInt64>) {
      let right = Int(next[left])
      var rank = PairTable.absent
      if right < count { rank = ranks.number(of: TokenPair(symbols[left], symbols[right])) }
      pairRanks[left] = rank
      if rank != PairTable.absent { queue.push(UInt64(rank) << 32 | UInt64(left)) }
    }

    while let candidate = queue.pop() {
      let rank = UInt32(truncatingIfNeeded: candidate >> 32)
      let left = Int(candidate & 0xFFFF_FFFF)
      guard pairRanks[left] == rank else { continue }
      let right = Int(next[left])
      symbols[left] = results[Int(rank)]
      pairRanks[right] = PairTable.absent
      next[left] = next[right]
      if next[left] < count { previous[Int(next[left])] = Int32(left) }
      rankPair(at: left, &queue)
      if previous[left] >= 0 { rankPair(at: Int(previous[left]), &queue) }
    }

    var left = 0
    var index = 0
    while index < count {
      symbols[left] = symbols[index]
      left += 1
      index = Int(next[index])
    }
    return left
  }
}
