// How the query rows of an attention are cut into blocks, and which keys each block reads.
//
// A sequence holds one example, or several one after another (packing). Query t sees the keys from
// the start of its example to itself. Of the keys before a block's first example nothing is computed.

/// Query rows that are computed together, and the keys that any of them sees.
struct AttentionBlock {
  /// Query rows that see the same keys but for the causal limit.
  struct Run {
    let rows: Range<Int>
    /// The first key they see.
    let start: Int
  }

  let rows: Range<Int>
  let columns: Range<Int>
  let runs: [Run]
}

/// The blocks of every sequence, the last of a sequence first.
struct AttentionBlocks {
  /// Query rows per block.
  static let size = 64

  /// Whether sequences hold several examples.
  let isPacked: Bool
  /// One list for all sequences, or one for each.
  private let lists: [[AttentionBlock]]

  subscript(sequence: Int) -> [AttentionBlock] { isPacked ? lists[sequence] : lists[0] }

  /// - Parameters:
  ///   - shape: Sizes of the attention.
  ///   - starts: Where the example of every row starts, [B·T]; empty when a sequence is one example.
  ///   - type: What products read. fp32 blocks begin with their example, so that an example has the
  ///     bits it has alone. bf16 ones lie on the grid of a plain sequence: oneDNN prepares a product
  ///     for every new size, and examples come in all sizes.
  init(_ shape: AttentionShape, starts: [Int32], type: ElementType) {
    isPacked = !starts.isEmpty
    guard isPacked else {
      let past = shape.keys - shape.queries
      lists = [
        AttentionBlocks.cut(0..<shape.queries).map {
          AttentionBlock(
            rows: $0, columns: 0..<past + $0.upperBound,
            runs: [AttentionBlock.Run(rows: $0, start: 0)])
        }
      ]
      return
    }
    lists = (0..<shape.sequences).map { sequence in
      let own = starts[sequence * shape.queries..<(sequence + 1) * shape.queries]
      let examples = AttentionBlocks.examples(Array(own))
      guard type == .bfloat16 else {
        return examples.reversed().flatMap { example in
          AttentionBlocks.cut(example).map {
            AttentionBlock(
              rows: $0, columns: example.lowerBound..<$0.upperBound,
              runs: [AttentionBlock.Run(rows: $0, start: example.lowerBound)])
          }
        }
      }
      return AttentionBlocks.cut(0..<shape.queries).map { rows in
        let runs = examples.filter { $0.overlaps(rows) }.map {
          AttentionBlock.Run(rows: $0.clamped(to: rows), start: $0.lowerBound)
        }
        let first = (runs.first?.start ?? 0) / AttentionBlocks.size * AttentionBlocks.size
        return AttentionBlock(rows: rows, columns: first..<rows.upperBound, runs: runs)
      }
    }
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
