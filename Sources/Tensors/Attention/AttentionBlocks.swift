// Division of the query rows of an attention into blocks, and the range of keys that each block
// reads.
//
// A sequence holds one example, or several consecutive ones (packing). A query attends only to keys
// of its own example: under a causal mask to the keys up to its own position, with a sliding window
// to the last of these; under a full mask to all keys except padding. Almost nothing is computed
// for keys that no query of a block attends to.

/// The attention mask within an example: the keys that a query attends to.
package enum AttentionReach: Sendable, Equatable {
  /// The keys up to the query's own position; with a window, only the last `window` of these.
  case causal(window: Int?)
  /// All keys.
  case full
}

/// A block of query rows that are computed together, and the range of keys that they read.
struct AttentionBlock {
  /// Query rows of one example, which attend to the same keys except for the causal limit.
  struct Run {
    let rows: Range<Int>
    /// The first key that the rows attend to.
    let start: Int
    /// The end (exclusive) of the keys that any of the rows attends to.
    let end: Int
  }

  let rows: Range<Int>
  let columns: Range<Int>
  let runs: [Run]
}

/// The blocks of every sequence, from the last block of a sequence to the first.
struct AttentionBlocks {
  /// Query rows per block.
  static let size = 64

  /// True when the first block of every sequence reads all of its keys.
  let isCovered: Bool
  /// One list for all sequences, or one for each.
  private let lists: [[AttentionBlock]]

  subscript(sequence: Int) -> [AttentionBlock] { lists.count > 1 ? lists[sequence] : lists[0] }

  /// - Parameters:
  ///   - shape: Sizes of the attention.
  ///   - starts: The first row of every row's example within its sequence, [B·T]; empty when every
  ///     sequence is one example.
  ///   - keyLengths: The number of keys of every sequence that are not padding, [B]; empty when all
  ///     keys are valid.
  ///   - type: Operand type of the products. fp32 blocks begin at the start of an example, so that
  ///     a packed example has the same bits as the example alone. bf16 blocks begin at multiples of
  ///     the block size, because oneDNN prepares a product for every new size and examples have
  ///     many different lengths.
  init(
    _ shape: AttentionShape, starts: [Int32], keyLengths: [Int32] = [], type: ElementType
  ) {
    precondition(
      keyLengths.isEmpty
        || keyLengths.count == shape.sequences && !shape.isCausal && starts.isEmpty
          && keyLengths.allSatisfy { (1...max(1, shape.keys)).contains(Int($0)) },
      "lengths \(keyLengths) of \(shape.sequences) sequences of \(shape.keys) keys, "
        + "\(shape.reach), \(starts.count) starts")
    let past = shape.keys - shape.queries
    let isPlain = starts.isEmpty && keyLengths.isEmpty && shape.window == nil
    isCovered = isPlain && shape.queries > 0
    guard !starts.isEmpty else {
      let whole = { (keys: Int?) in
        AttentionBlocks.cut(0..<shape.queries).map { rows in
          let end = keys ?? shape.end(of: rows, past: past)
          return AttentionBlocks.block(
            rows, [AttentionBlock.Run(rows: rows, start: 0, end: end)], shape, past: past,
            type: type)
        }
      }
      lists = keyLengths.isEmpty ? [whole(nil)] : keyLengths.map { whole(Int($0)) }
      return
    }
    lists = (0..<shape.sequences).map { sequence in
      let own = starts[sequence * shape.queries..<(sequence + 1) * shape.queries]
      let examples = AttentionBlocks.examples(Array(own))
      let run = { (rows: Range<Int>, example: Range<Int>) in
        AttentionBlock.Run(
          rows: rows, start: example.lowerBound,
          end: shape.isCausal ? rows.upperBound : example.upperBound)
      }
      guard type == .bfloat16 else {
        return examples.reversed().flatMap { example in
          AttentionBlocks.cut(example).map { rows in
            AttentionBlocks.block(rows, [run(rows, example)], shape, past: 0, type: type)
          }
        }
      }
      return AttentionBlocks.cut(0..<shape.queries).map { rows in
        let runs = examples.filter { $0.overlaps(rows) }.map { run($0.clamped(to: rows), $0) }
        return AttentionBlocks.block(rows, runs, shape, past: 0, type: type)
      }
    }
  }

  /// Returns the block of `rows`.
  ///
  /// - Parameters:
  ///   - runs: The runs of the block without the sliding window.
  ///   - past: Number of keys before the key of the first query.
  private static func block(
    _ rows: Range<Int>, _ runs: [AttentionBlock.Run], _ shape: AttentionShape, past: Int,
    type: ElementType
  ) -> AttentionBlock {
    var runs = runs
    if let window = shape.window {
      // Every row has its own first key.
      runs = runs.flatMap { run in
        run.rows.map { row in
          AttentionBlock.Run(
            rows: row..<row + 1, start: max(run.start, past + row + 1 - window),
            end: past + row + 1)
        }
      }
    }
    var first = runs.map(\.start).min() ?? 0
    var end = runs.map(\.end).max() ?? 0
    if type == .bfloat16 {
      first = first / size * size
      if !shape.isCausal { end = min(shape.keys, (end + size - 1) / size * size) }
    }
    return AttentionBlock(rows: rows, columns: first..<end, runs: runs)
  }

  /// Cuts `rows` into pieces of a block's size, counted from the start, and returns them in reverse
  /// order.
  private static func cut(_ rows: Range<Int>) -> [Range<Int>] {
    stride(from: rows.lowerBound, to: rows.upperBound, by: size).map {
      $0..<min(rows.upperBound, $0 + size)
    }.reversed()
  }

  /// Returns the row ranges of the examples of one sequence, in order.
  private static func examples(_ starts: [Int32]) -> [Range<Int>] {
    var examples: [Range<Int>] = []
    for (row, start) in starts.enumerated() {
      if Int(start) == row {
        examples.append(row..<row + 1)
      } else if let last = examples.last, last.lowerBound == Int(start) {
        examples[examples.count - 1] = last.lowerBound..<row + 1
      } else {
        preconditionFailure("row \(row) has the example start \(start), the row before another one")
      }
    }
    return examples
  }

  /// The FLOPs of one of the attention's products, over all heads and all keys that their blocks
  /// read.
  func operations(_ shape: AttentionShape) -> Double {
    var pairs = 0
    for sequence in 0..<shape.sequences {
      for block in self[sequence] { pairs += block.rows.count * block.columns.count }
    }
    return 2 * Double(pairs * shape.heads * shape.dim)
  }
}
