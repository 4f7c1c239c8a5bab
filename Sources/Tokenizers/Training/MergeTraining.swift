/// The state of BPE training: the distinct words as tokens, the count of every pair of neighbours,
/// and a queue of pairs by count.
///
/// A merge touches only the words that hold the pair. Counts in the queue go stale as neighbouring
/// merges destroy pairs; a pair that comes up with a stale count is put back with the true one. New
/// pairs always hold the token just made, so a pair enters the queue once, with all its words. The
/// count of a merged pair is left as it is: it never comes up again.
struct MergeTraining {
  /// A pair in the queue; "smaller" means merged earlier.
  private struct Candidate: Comparable {
    var count: Int
    let pair: TokenPair
    /// Number of the pair in `pairCounts`.
    let pairNumber: Int
    /// The words to visit, in `visits`.
    let visit: Int

    static func < (a: Candidate, b: Candidate) -> Bool {
      if a.count != b.count { return a.count > b.count }
      return a.pair < b.pair
    }
  }

  /// Word `w` is `symbols[starts[w]..<starts[w] + lengths[w]]`; merging shortens it in place.
  private var symbols: [UInt32] = []
  private var starts: [Int] = []
  private var lengths: [Int] = []
  private let wordCounts: [Int]

  private var pairNumbers = PairTable()
  private var pairs: [TokenPair] = []
  private var pairCounts: [Int] = []
  /// For each pair, the list in `visits` being filled, or -1.
  private var openVisits: [Int] = []
  /// The pairs with an open list.
  private var openPairs: [Int] = []
  /// Lists of words in ascending order without repetition, emptied once visited.
  private var visits: [[UInt32]] = []
  private var queue = BinaryHeap<Candidate>()
  private var visit: Int?

  /// Counts the pairs of `words`, of which word `w` occurs `counts[w]` times.
  init(words: ByteStringTable, counts: [Int], byteIDs: [UInt32]) {
    self.init(counts: counts) { word, symbols in
      for byte in words[word] { symbols.append(byteIDs[Int(byte)]) }
    }
  }

  /// Counts the pairs of words, of which word `w` occurs `counts[w]` times; `append` adds its symbols.
  init(counts: [Int], _ append: (_ word: Int, inout [UInt32]) -> Void) {
    wordCounts = counts
    for word in counts.indices {
      starts.append(symbols.count)
      append(word, &symbols)
      lengths.append(symbols.count - starts[word])
    }
    for word in counts.indices where lengths[word] > 1 {
      let end = starts[word] + lengths[word]
      for index in starts[word]..<end - 1 {
        change(TokenPair(symbols[index], symbols[index + 1]), by: counts[word], in: word)
      }
    }
    queue = BinaryHeap(closeVisits())
  }

  /// Takes the pair with the highest count from the queue; nil when no pair is left.
  mutating func mostFrequentPair() -> (pair: TokenPair, count: Int)? {
    while var candidate = queue.pop() {
      let count = pairCounts[candidate.pairNumber]
      if count == candidate.count {
        visit = candidate.visit
        return (candidate.pair, count)
      }
      if count > 0 {
        candidate.count = count
        queue.push(candidate)
      }
    }
    return nil
  }

  /// Replaces `pair`, which `mostFrequentPair` has just returned, by `merged`.
  mutating func merge(_ pair: TokenPair, into merged: UInt32) {
    guard let visit else { return }
    let words = visits[visit]
    visits[visit] = []
    for word in words { merge(pair, into: merged, inWord: Int(word)) }
    for candidate in closeVisits() { queue.push(candidate) }
  }

  private mutating func merge(_ pair: TokenPair, into merged: UInt32, inWord word: Int) {
    let (left, right) = (pair.left, pair.right)
    let start = starts[word]
    let end = start + lengths[word]
    let count = wordCounts[word]
    var read = start
    var write = start
    while read < end {
      guard symbols[read] == left, read + 1 < end, symbols[read + 1] == right else {
        symbols[write] = symbols[read]
        read += 1
        write += 1
        continue
      }
      if write > start {
        let before = symbols[write - 1]
        change(TokenPair(before, left), by: -count, in: word)
        change(TokenPair(before, merged), by: count, in: word)
      }
      if read + 2 < end {
        let after = symbols[read + 2]
        change(TokenPair(right, after), by: -count, in: word)
        change(TokenPair(merged, after), by: count, in: word)
      }
      symbols[write] = merged
      read += 2
      write += 1
    }
    lengths[word] = write - start
  }

  private mutating func change(_ pair: TokenPair, by count: Int, in word: Int) {
    let number = Int(pairNumbers.insert(pair, number: UInt32(pairs.count)))
    if number == pairs.count {
      pairs.append(pair)
      pairCounts.append(0)
      openVisits.append(-1)
    }
    pairCounts[number] += count
    guard count > 0 else { return }
    if openVisits[number] < 0 {
      openVisits[number] = visits.count
      openPairs.append(number)
      visits.append([])
    }
    let list = openVisits[number]
    if visits[list].last != UInt32(word) { visits[list].append(UInt32(word)) }
  }

  /// The candidates for the lists filled since the last call.
  private mutating func closeVisits() -> [Candidate] {
    var candidates: [Candidate] = []
    for number in openPairs {
      if pairCounts[number] > 0 {
        candidates.append(
          Candidate(
            count: pairCounts[number], pair: pairs[number], pairNumber: number,
            visit: openVisits[number]))
      }
      openVisits[number] = -1
    }
    openPairs.removeAll(keepingCapacity: true)
    return candidates
  }
}
