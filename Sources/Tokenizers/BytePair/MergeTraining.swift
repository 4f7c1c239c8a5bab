/// The state of BPE training: the distinct words as tokens, the count of every pair of neighbours,
/// and a queue of pairs by count.
///
/// A merge touches only the words that contain the pair. Counts in the queue become stale as
/// neighbouring merges destroy pairs; a pair popped with a stale count is pushed back with the
/// current one. A new pair always contains the token just created, so each pair enters the queue
/// once, with all its words. The count of a merged pair is not updated, as the pair never returns.
struct MergeTraining {
  /// A pair in the queue; a smaller candidate is merged earlier.
  private struct Candidate: Comparable {
    var count: Int
    let pair: TokenPair
    /// The index of the pair in `pairCounts`.
    let pairNumber: Int
    /// The index in `wordLists` of the words that contain the pair.
    let wordList: Int

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
  /// For each pair, the index of the list in `wordLists` that is being filled, or −1.
  private var openLists: [Int] = []
  /// The pairs with an open list.
  private var openPairs: [Int] = []
  /// Lists of distinct words in ascending order, each emptied by the merge of its pair.
  private var wordLists: [[UInt32]] = []
  private var queue = BinaryHeap<Candidate>()
  private var wordList: Int?

  /// Counts the pairs of `words`; word `w` occurs `counts[w]` times.
  init(words: ByteStringTable, counts: [Int], byteIDs: [UInt32]) {
    self.init(counts: counts) { word, symbols in
      for byte in words[word] { symbols.append(byteIDs[Int(byte)]) }
    }
  }

  /// Counts the pairs of words; word `w` occurs `counts[w]` times, and `append` appends its
  /// symbols.
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
    queue = BinaryHeap(closeLists())
  }

  /// Removes and returns the pair with the highest count; nil when no pair is left.
  mutating func mostFrequentPair() -> (pair: TokenPair, count: Int)? {
    while var candidate = queue.pop() {
      let count = pairCounts[candidate.pairNumber]
      if count == candidate.count {
        wordList = candidate.wordList
        return (candidate.pair, count)
      }
      if count > 0 {
        candidate.count = count
        queue.push(candidate)
      }
    }
    return nil
  }

  /// Replaces `pair`, which must be the last result of `mostFrequentPair`, by `merged` in all
  /// words.
  mutating func merge(_ pair: TokenPair, into merged: UInt32) {
    guard let wordList else { return }
    let words = wordLists[wordList]
    wordLists[wordList] = []
    for word in words { merge(pair, into: merged, inWord: Int(word)) }
    for candidate in closeLists() { queue.push(candidate) }
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
      openLists.append(-1)
    }
    pairCounts[number] += count
    guard count > 0 else { return }
    if openLists[number] < 0 {
      openLists[number] = wordLists.count
      openPairs.append(number)
      wordLists.append([])
    }
    let list = openLists[number]
    if wordLists[list].last != UInt32(word) { wordLists[list].append(UInt32(word)) }
  }

  /// Closes the lists filled since the last call and returns a candidate for each.
  private mutating func closeLists() -> [Candidate] {
    var candidates: [Candidate] = []
    for number in openPairs {
      if pairCounts[number] > 0 {
        candidates.append(
          Candidate(
            count: pairCounts[number], pair: pairs[number], pairNumber: number,
            wordList: openLists[number]))
      }
      openLists[number] = -1
    }
    openPairs.removeAll(keepingCapacity: true)
    return candidates
  }
}
