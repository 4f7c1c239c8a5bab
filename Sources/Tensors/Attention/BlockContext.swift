import CKernels

/// A block of an attention, with the products and the scratch memory of its scores.
struct BlockContext {
  let pass: AttentionPass
  let sequence: Int
  let head: Int
  /// The key head that `head` shares.
  let keyHead: Int
  let block: AttentionBlock
  /// The thread of the team that computes the block.
  let lane: Int
  /// True for products whose bits do not depend on the number of rows.
  let ascending: Bool
  /// Memory for matrices of scores, [block size × row stride] each.
  let scratch: UnsafeMutablePointer<Float>
  /// Memory for one matrix of scores in bf16, when products read bf16.
  let bf16Scratch: UnsafeMutablePointer<UInt16>

  var shape: AttentionShape { pass.shape }
  /// The query rows, within the sequence.
  var rows: Range<Int> { block.rows }
  /// The keys that any of the query rows attends to, within the sequence.
  var columns: Range<Int> { block.columns }
  /// The first query row, within the batch.
  var firstQuery: Int { sequence * shape.queries + rows.lowerBound }
  /// True for the first block that contributes to the gradients of its keys.
  var isFirst: Bool {
    head == shape.queryHeads(of: keyHead).lowerBound && rows.upperBound == shape.queries
  }

  /// Returns the query rows of `x`, [rows × D].
  func queries(_ x: HeadRows) -> BlockMatrix {
    x.matrix(head, dim: shape.dim, sequence: sequence, rows: rows)
  }

  /// Returns the key rows of `x`, [columns × D].
  func keys(_ x: HeadRows) -> BlockMatrix {
    x.matrix(keyHead, dim: shape.dim, sequence: sequence, rows: columns)
  }

  /// Returns matrix `index` of scores in the scratch memory, [rows × columns].
  func scores(_ index: Int) -> BlockMatrix {
    scores(at: scratch + index * AttentionBlocks.size * shape.rowStride, .float32)
  }

  private func scores(at scratch: UnsafeMutableRawPointer, _ type: ElementType) -> BlockMatrix {
    BlockMatrix(
      base: scratch + columns.lowerBound * type.stride, type: type, rowStride: shape.rowStride,
      rows: rows.count, columns: columns.count)
  }

  /// Returns `scores` in the operand precision; bf16 scores are valid until the next call.
  func operand(_ scores: BlockMatrix) -> BlockMatrix {
    guard pass.q.type == .bfloat16 else { return scores }
    for row in 0..<rows.count {
      apus_round_bf16(
        bf16Scratch + row * shape.rowStride + columns.lowerBound,
        scores.floats + row * shape.rowStride, columns.count)
    }
    return self.scores(at: bf16Scratch, .bfloat16)
  }

  /// Returns the address of the rows of `scores` with all keys of the sequence.
  private func wholeRows(of scores: BlockMatrix) -> UnsafeMutablePointer<Float> {
    scores.floats - columns.lowerBound
  }

  /// Computes the product a·b into `c`, or adds it.
  ///
  /// An ascending product does not use the bf16 pair instructions, so that its bits agree with
  /// attention over a KV cache, which has none.
  func multiply(_ a: BlockMatrix, _ b: BlockMatrix, into c: BlockMatrix, adds: Bool = false) {
    let (m, n, k) = (a.rows, b.columns, a.columns)
    if ascending {
      pass.workspace.multiplyAscending(
        a.factor, b.factor, into: c.destination, m: m, n: n, k: k, adds: adds, usesPairs: false)
    } else {
      pass.workspace.multiplyPanel(
        a.factor, b.factor, into: c.destination, m: m, n: n, k: k, adds: adds, lane: lane)
    }
  }

  /// Calls a kernel for every run of rows, and zeroes the scores of keys outside the run's example.
  ///
  /// With a bias the scores are already scaled and biased, and the kernel gets a scale of 1.
  func forEachRun(
    of scores: BlockMatrix,
    _ kernel: (
      _ scores: UnsafeMutablePointer<Float>, _ logSumExps: UnsafeMutablePointer<Float>, _ rows: Int,
      _ columns: Int, _ rowStride: Int, _ firstLimit: Int, _ scale: Float
    ) -> Void
  ) {
    let rowStride = shape.rowStride
    let logSumExps = pass.logSumExps.pointer + (sequence * shape.heads + head) * shape.queries
    for run in block.runs {
      let (first, count, width) = (run.rows.lowerBound, run.rows.count, run.end - run.start)
      let own = wholeRows(of: scores) + (first - rows.lowerBound) * rowStride
      for row in 0..<count { zero(own + row * rowStride, outside: run) }
      if let bias = pass.bias {
        apus_attention_bias(
          own + run.start, bias.at(head, row: first, column: run.start), count, width, rowStride,
          shape.scale)
      }
      kernel(
        own + run.start, logSumExps + first, count, width, rowStride,
        shape.isCausal ? shape.keys - shape.queries + first + 1 - run.start : width,
        pass.bias == nil ? shape.scale : 1)
    }
  }

  /// Zeroes the scores of `row`, which has those of all keys, of the block's keys outside `run`.
  private func zero(_ row: UnsafeMutablePointer<Float>, outside run: AttentionBlock.Run) {
    for unseen in [columns.lowerBound..<run.start, run.end..<columns.upperBound] {
      (row + unseen.lowerBound).update(repeating: 0, count: unseen.count)
    }
  }

  /// Writes `scores` after dropout, if there is any, to `result`, which may be the same matrix.
  func drop(_ scores: BlockMatrix, into result: BlockMatrix) {
    guard let dropout = pass.settings.dropout else { return }
    let firstRow = (sequence * shape.heads + head) * shape.queries
    // Words are numbered as if every row had the scores of all keys, from a multiple of 4 on. The
    // scores of keys outside a row's example are 0.
    for run in block.runs {
      let first = run.start / 4 * 4
      for row in run.rows {
        let offset = (row - rows.lowerBound) * shape.rowStride
        let own = wholeRows(of: result) + offset
        if result.base != scores.base { zero(own, outside: run) }
        dropout.apply(
          own + first, wholeRows(of: scores) + offset + first, count: run.end - first,
          first: (firstRow + row) * shape.rowStride + first)
      }
    }
  }
}

/// A matrix of a block: a factor or the destination of a product.
struct BlockMatrix {
  let base: UnsafeMutableRawPointer
  let type: ElementType
  let rowStride: Int
  /// Rows as read.
  var rows: Int
  /// Columns as read.
  var columns: Int
  var isTransposed = false
  /// Keeps the memory alive; nil where a surrounding scope does.
  var owner: Storage?

  var transposed: BlockMatrix {
    var other = self
    (other.rows, other.columns, other.isTransposed) = (columns, rows, !isTransposed)
    return other
  }

  var factor: Matrix {
    Matrix(base: base, type: type, rowStride: rowStride, transposed: isTransposed, owner: owner)
  }
  var destination: MatrixDestination {
    MatrixDestination(base: base, type: type, rowStride: rowStride)
  }
  var floats: UnsafeMutablePointer<Float> { base.assumingMemoryBound(to: Float.self) }
}
