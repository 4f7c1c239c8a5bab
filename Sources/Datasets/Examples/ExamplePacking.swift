import RandomNumbers

/// The packing of examples into rows: a pure function of (seed, epoch, lengths).
///
/// Rows are packed best-fit decreasing: each example, longest first, goes to the fullest row that
/// still has room for it, which leaves little padding and needs no search. The lengths in a row are
/// the same in every epoch, so that all epochs have the same number of rows; the examples of equal
/// length are permuted among their slots in every epoch. An example of n tokens takes n − 1 places of
/// a row.
struct ExamplePacking: Sendable {
  /// The number of rows in every epoch.
  var rowCount: Int { rowEnds.count }

  /// The examples by decreasing length, equal lengths in order; slot s holds an example of the length
  /// of `byLength[s]`.
  private let byLength: [Int]
  /// The range of slots of equal length, for every slot.
  private let runs: [Range<Int>]
  /// The concatenated slots of all rows, and the end of each row in them.
  private let slots: [Int]
  private let rowEnds: [Int]
  private let seed: UInt64

  /// Packs examples of `lengths` tokens into rows of `context` places.
  init(lengths: [Int], context: Int, seed: UInt64) {
    self.seed = seed
    byLength = lengths.indices.sorted { a, b in
      lengths[a] != lengths[b] ? lengths[a] > lengths[b] : a < b
    }
    var runs: [Range<Int>] = []
    var rows: [[Int]] = []
    var roomy = RowsByRoom(context: context)
    var start = 0
    for slot in byLength.indices {
      let length = lengths[byLength[slot]]
      precondition(
        1...context + 1 ~= length, "an example of \(length) tokens in rows of \(context) places")
      let row =
        roomy.take(places: length - 1)
        ?? {
          rows.append([])
          return (rows.count - 1, context)
        }()
      rows[row.index].append(slot)
      roomy.put(row.index, room: row.room - (length - 1))
      let isLast = slot + 1 == byLength.count || lengths[byLength[slot + 1]] != length
      if isLast {
        runs += repeatElement(start..<slot + 1, count: slot + 1 - start)
        start = slot + 1
      }
    }
    self.runs = runs
    slots = rows.flatMap { $0 }
    var end = 0
    rowEnds = rows.map { row in
      end += row.count
      return end
    }
  }

  /// Returns the examples of row `row` in epoch `epoch`, in order.
  func examples(ofRow row: Int, epoch: Int) -> [Int] {
    slots[(row == 0 ? 0 : rowEnds[row - 1])..<rowEnds[row]].map { slot in
      let run = runs[slot]
      let words = RandomStream(seed: seed, purpose: .dataOrder, epoch, run.lowerBound).block(0)
      let permutation = KeyedPermutation(count: run.count, key: SIMD2(words.x, words.y))
      return byLength[run.lowerBound + permutation(slot - run.lowerBound)]
    }
  }
}

/// Rows indexed by their number of free places.
private struct RowsByRoom {
  private var rows: [[Int]]
  /// A bit set: bit r is set when some row has r free places.
  private var present: [UInt64]

  init(context: Int) {
    rows = [[Int]](repeating: [], count: context + 1)
    present = [UInt64](repeating: 0, count: context / 64 + 1)
  }

  /// Removes and returns the row with the least room that is at least `places`; nil when there is none.
  mutating func take(places: Int) -> (index: Int, room: Int)? {
    var word = places / 64
    var bits = present[word] & (~0 << UInt64(places % 64))
    while bits == 0 {
      word += 1
      guard word < present.count else { return nil }
      bits = present[word]
    }
    let room = word * 64 + bits.trailingZeroBitCount
    guard let row = rows[room].popLast() else { return nil }
    if rows[room].isEmpty { present[room / 64] &= ~(1 << UInt64(room % 64)) }
    return (row, room)
  }

  mutating func put(_ row: Int, room: Int) {
    rows[room].append(row)
    present[room / 64] |= 1 << UInt64(room % 64)
  }
}
