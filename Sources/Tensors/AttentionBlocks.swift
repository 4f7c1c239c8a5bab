// How the query rows of an attention are cut into blocks, and which keys each block reads.
//
// A sequence holds one example, or several one after another (packing). Query t sees the keys of its
// example: those up to itself where the attention is causal, of these the last ones where it has a
// window; where it is not, all of them but padding. Of the keys that no query of a block sees next to
// nothing is computed.

/// Which keys of its example a query sees.
public enum AttentionReach: Sendable, Equatable {
  /// Those up to its own position; with a window the last ones of these.
  case causal(window: Int?)
  /// All of them.
  case full
}

/// Query rows that are computed together, and the keys that any of them sees.
struct AttentionBlock {
  /// Query rows that see the same keys but for the causal limit.
  struct Run {
    let rows: Range<Int>
    /// The first key they see.
    let start: Int
    /// The key after the last that any of them sees.
    let end: Int
  }

  let rows: Range<Int>
  let columns: Range<Int>
  let runs: [Run]
}

/// The blocks of every sequence, the last of a sequence first.
struct AttentionBlocks {
  /// Query rows per block.
  static let size = 64

  /// Whether the first block of a sequence reads every key.
  let isCovered: Bool
  /// One list for all sequences, or one for each.
  private let lists: [[AttentionBlock]]

  subscript(sequence: Int) -> [AttentionBlock] { lists.count > 1 ? lists[sequence] : lists[0] }

  /// - Parameters:
  ///   - shape: Sizes of the attention.
  ///   - starts: Where the example of every row starts, [B·T]; empty when a sequence is one example.
  ///   - keyLengths: How many keys of every sequence are there, [B]; empty when all are.
  ///   - type: What products read. fp32 blocks begin with their example, so that an example has the
  ///     bits it has alone. bf16 ones lie on the grid of a plain sequence: oneDNN prepares a product
  ///     for every new size, and examples come in all sizes.
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

  /// The block of `rows`, whose runs are given without a window.
  ///
  /// - Parameter past: Keys before those of the first query.
  private static func block(
    _ rows: Range<Int>, _ runs: [AttentionBlock.Run], _ shape: AttentionShape, past: Int,
    type: ElementType
  ) -> AttentionBlock {
    var runs = runs
    if let window = shape.window {
      // Every row has a first key of its own.
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

  /// Pieces of a block's size, counted from the start, the last first.
  private static func cut(_ rows: Range<Int>) -> [Range<Int>] {
    stride(from: rows.lowerBound, to: rows.upperBound, by: size).map {
      $0..<min(rows.upperBound, $0 + size)
    }.reversed()
  }

  /// The examples of one sequence, in order.
  private static func examples(_ starts: [Int32]) -> [Range<Int>] {
    var examples: [Range<Int>] = []
    for (row, start) in starts.enumerated() {
      if Int(start) == row {
        examples.append(row..<row + 1)
      } else if let last = examples.last, last.lowerBound == Int(start) {
        examples[examples.count - 1] = last.lowerBound..<row + 1
      } else {
        preconditionFailure("row \(row) says that its example starts at \(start), rows before not")
      }
    }
    return examples
  }

  /// Floating-point operations of one product of all heads with all keys that their blocks read.
  func operations(_ shape: AttentionShape) -> Double {
    var pairs = 0
    for sequence in 0..<shape.sequences {
      for block in self[sequence] { pairs += block.rows.count * block.columns.count }
    }
    return 2 * Double(pairs * shape.heads * shape.dim)
  }
}
