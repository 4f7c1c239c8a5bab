// The forward and the backward pass of blocked attention. Tensor+Attention.swift has the formulas
// and the legend.
import CKernels

extension AttentionShape {
  /// Calls `body` for every block of each query head that shares `keyHead`, one head after another.
  private func forEachBlock(
    _ blocks: [AttentionBlock], of keyHead: Int,
    _ body: (_ head: Int, _ block: AttentionBlock) -> Void
  ) {
    for head in queryHeads(of: keyHead) {
      for block in blocks { body(head, block) }
    }
  }

  /// The query heads that share `keyHead`.
  private func queryHeads(of keyHead: Int) -> Range<Int> {
    let group = heads / keyHeads
    return keyHead * group..<(keyHead + 1) * group
  }

  /// Distributes (sequence, key head) pairs over the team: gradients of keys and values are summed
  /// within a pair.
  private func forEachPair(
    in workspace: Workspace, _ body: (_ sequence: Int, _ keyHead: Int, _ lane: Int) -> Void
  ) {
    workspace.forEach(sequences * keyHeads) { index, lane in
      body(index / keyHeads, index % keyHeads, lane)
    }
  }

  /// Calls `body` for every run of rows of `block` with the address of its first score, and zeroes
  /// the scores of keys outside the run's example.
  ///
  /// - Parameter bias: Added to the scaled scores. With a bias the scores are already scaled, and
  ///   `body` gets a scale of 1.
  private func forEachRun(
    _ block: AttentionBlock, of scores: UnsafeMutablePointer<Float>, head: Int,
    bias: BiasDiagonals?,
    _ body: (
      _ run: AttentionBlock.Run, _ scores: UnsafeMutablePointer<Float>, _ columns: Int,
      _ firstLimit: Int, _ scale: Float
    ) -> Void
  ) {
    for run in block.runs {
      let own = scores + (run.rows.lowerBound - block.rows.lowerBound) * rowStride
      for unseen in [block.columns.lowerBound..<run.start, run.end..<block.columns.upperBound]
      where !unseen.isEmpty {
        for row in 0..<run.rows.count {
          (own + row * rowStride + unseen.lowerBound).update(repeating: 0, count: unseen.count)
        }
      }
      let columns = run.end - run.start
      let limit = isCausal ? keys - queries + run.rows.lowerBound + 1 - run.start : columns
      if let bias {
        apus_attention_bias(
          own + run.start, bias.at(head, row: run.rows.lowerBound, column: run.start),
          run.rows.count, columns, rowStride, scale)
      }
      body(run, own + run.start, columns, limit, bias == nil ? scale : 1)
    }
  }

  /// The index of a block's first dropout word.
  private func firstWord(_ sequence: Int, _ head: Int, _ row: Int) -> Int {
    ((sequence * heads + head) * queries + row) * rowStride
  }

  /// Returns a block of scores as a factor of products with matrices of `type`.
  private func factor(
    _ scores: UnsafeMutablePointer<Float>, rows: Int, as type: ElementType,
    in bf16: UnsafeMutablePointer<UInt16>, transposed: Bool = false
  ) -> Matrix {
    guard type == .bfloat16 else {
      return Matrix(scores, rowStride: rowStride, transposed: transposed)
    }
    apus_round_bf16(bf16, scores, rows * rowStride)
    return Matrix(bf16, rowStride: rowStride, transposed: transposed)
  }

  /// Computes one of the two products of a block.
  ///
  /// In a batch-invariant workspace it does not use the bf16 pair instructions, so that its bits
  /// agree with attention over a KV cache, which has none.
  private func product(
    _ a: Matrix, _ b: Matrix, into c: MatrixDestination, m: Int, n: Int, k: Int, lane: Int,
    in workspace: Workspace
  ) {
    if workspace.isBatchInvariant {
      workspace.multiplyAscending(a, b, into: c, m: m, n: n, k: k, usesPairs: false)
    } else {
      workspace.multiplyPanel(a, b, into: c, m: m, n: n, k: k, lane: lane)
    }
  }

  /// Fills `out` and `logSumExps` [B, H, T].
  func forward(
    q: HeadRows, k: HeadRows, v: HeadRows, out: HeadRows, logSumExps: UnsafeMutablePointer<Float>,
    settings: AttentionSettings, in workspace: Workspace
  ) {
    let blocks = AttentionBlocks(
      self, starts: settings.starts, keyLengths: settings.keyLengths, type: q.type)
    let area = AttentionBlocks.size * rowStride
    let bias = settings.bias?.diagonals(of: self)
    workspace.count(operations: 2 * blocks.operations(self))
    forEachPair(in: workspace) { sequence, keyHead, lane in
      workspace.withScratch(area) { scores in
        workspace.withBF16Scratch(q.type == .bfloat16 ? area : 0) { bf16 in
          forEachBlock(blocks[sequence], of: keyHead) { head, block in
            let (rows, columns) = (block.rows, block.columns)
            let first = rows.lowerBound
            let sums = logSumExps + (sequence * heads + head) * queries
            product(
              q.matrix(head, dim: dim, sequence: sequence, row: first),
              k.matrix(
                keyHead, dim: dim, sequence: sequence, row: columns.lowerBound, transposed: true),
              into: MatrixDestination(scores + columns.lowerBound, rowStride: rowStride),
              m: rows.count,
              n: columns.count, k: dim, lane: lane, in: workspace)
            forEachRun(block, of: scores, head: head, bias: bias) {
              run, scores, columns, limit, scale in
              apus_attention_softmax(
                scores, sums + run.rows.lowerBound, run.rows.count, columns, rowStride, limit, scale
              )
            }
            settings.dropout?.apply(
              scores, scores, count: rows.count * rowStride, first: firstWord(sequence, head, first)
            )
            product(
              factor(scores, rows: rows.count, as: v.type, in: bf16)
                .from(row: 0, column: columns.lowerBound),
              v.matrix(keyHead, dim: dim, sequence: sequence, row: columns.lowerBound),
              into: out.destination(head, dim: dim, sequence: sequence, row: first), m: rows.count,
              n: dim, k: columns.count, lane: lane, in: workspace)
          }
        }
      }
    }
  }

  /// Adds to or overwrites the gradients of q, k and v, depending on `adds` of each, and adds to
  /// the gradient of the bias.
  ///
  /// - Parameters:
  ///   - dout: The gradient with respect to the result, in the operand precision of the products.
  ///   - delta: δ, [B·T, H].
  ///   - settings: The settings given to `forward`.
  func backward(
    q: HeadRows, k: HeadRows, v: HeadRows, dout: HeadRows, delta: Tensor,
    logSumExps: UnsafeMutablePointer<Float>, settings: AttentionSettings,
    dq: (rows: HeadRows, adds: Bool), dk: (rows: HeadRows, adds: Bool),
    dv: (rows: HeadRows, adds: Bool), in workspace: Workspace
  ) {
    let blocks = AttentionBlocks(
      self, starts: settings.starts, keyLengths: settings.keyLengths, type: q.type)
    let area = AttentionBlocks.size * rowStride
    let (dropout, bias) = (settings.dropout, settings.bias?.diagonals(of: self))
    // Gradients along the diagonals, one set per sequence.
    let dbias =
      settings.bias?.table.needsGradient == true
      ? (0..<sequences).map { _ in BiasDiagonals(self, in: workspace) } : []
    workspace.count(operations: 5 * blocks.operations(self))
    forEachPair(in: workspace) { sequence, keyHead, lane in
      // The last block of a sequence comes first. Without packing, padding and window it covers
      // every key, so it overwrites the gradients and the other blocks add. Otherwise no block
      // covers every key, and the gradients are zeroed first.
      let isCovered = blocks.isCovered
      for (gradient, adds) in [dk, dv] where !adds && !isCovered {
        clear(gradient, keyHead, sequence)
      }
      if !dbias.isEmpty { dbias[sequence].clear(queryHeads(of: keyHead)) }
      workspace.withScratch((dropout == nil ? 2 : 3) * area) { scratch in
        let p = scratch
        let dp = scratch + area
        let dropped = dropout == nil ? p : scratch + 2 * area
        workspace.withBF16Scratch(q.type == .bfloat16 ? area : 0) { bf16 in
          forEachBlock(blocks[sequence], of: keyHead) { head, block in
            let (rows, columns) = (block.rows, block.columns)
            let (first, start) = (rows.lowerBound, columns.lowerBound)
            let sums = logSumExps + (sequence * heads + head) * queries
            let queryRows = q.matrix(head, dim: dim, sequence: sequence, row: first)
            let keyRows = k.matrix(keyHead, dim: dim, sequence: sequence, row: start)
            let doutRows = dout.matrix(head, dim: dim, sequence: sequence, row: first)
            let overwrites =
              isCovered && head % (heads / keyHeads) == 0 && rows.upperBound == queries
            workspace.multiplyPanel(
              queryRows,
              k.matrix(keyHead, dim: dim, sequence: sequence, row: start, transposed: true),
              into: MatrixDestination(p + start, rowStride: rowStride), m: rows.count,
              n: columns.count,
              k: dim, lane: lane)
            forEachRun(block, of: p, head: head, bias: bias) { run, p, columns, limit, scale in
              apus_attention_probabilities(
                p, sums + run.rows.lowerBound, run.rows.count, columns, rowStride, limit, scale)
            }
            workspace.multiplyPanel(
              doutRows,
              v.matrix(keyHead, dim: dim, sequence: sequence, row: start, transposed: true),
              into: MatrixDestination(dp + start, rowStride: rowStride), m: rows.count,
              n: columns.count,
              k: dim, lane: lane)
            if let dropout {
              let word = firstWord(sequence, head, first)
              dropout.apply(dropped, p, count: rows.count * rowStride, first: word)
              dropout.apply(dp, dp, count: rows.count * rowStride, first: word)
            }
            workspace.multiplyPanel(
              factor(dropped, rows: rows.count, as: q.type, in: bf16, transposed: true)
                .from(row: 0, column: start), doutRows,
              into: dv.rows.destination(keyHead, dim: dim, sequence: sequence, row: start),
              m: columns.count, n: dim, k: rows.count, adds: !overwrites || dv.adds, lane: lane)
            apus_attention_dscores(
              dp + start, p + start, delta.pointer + (sequence * queries + first) * heads + head,
              heads, rows.count, columns.count, rowStride, scale)
            if !dbias.isEmpty {
              apus_attention_dbias(
                dbias[sequence].at(head, row: first, column: start), dp + start, rows.count,
                columns.count, rowStride)
            }
            let ds = factor(dp, rows: rows.count, as: q.type, in: bf16)
              .from(row: 0, column: start)
            workspace.multiplyPanel(
              ds, keyRows,
              into: dq.rows.destination(head, dim: dim, sequence: sequence, row: first),
              m: rows.count, n: dim, k: columns.count, adds: dq.adds, lane: lane)
            workspace.multiplyPanel(
              Matrix(base: ds.base, type: ds.type, rowStride: ds.rowStride, transposed: true),
              queryRows,
              into: dk.rows.destination(keyHead, dim: dim, sequence: sequence, row: start),
              m: columns.count, n: dim, k: rows.count, adds: !overwrites || dk.adds, lane: lane)
          }
        }
      }
    }
    settings.bias?.accumulate(dbias, of: self)
  }

  /// Sets the gradient of one key head to zero.
  private func clear(_ gradient: HeadRows, _ keyHead: Int, _ sequence: Int) {
    for row in 0..<keys {
      gradient.address(keyHead, dim: dim, sequence: sequence, row: row)
        .assumingMemoryBound(to: Float.self).update(repeating: 0, count: dim)
    }
  }

  /// Returns δ = Σ_d dout·out of every row and head, [B·T, H]; `dout` is fp32.
  func delta(dout: Tensor, out: Tensor) -> Tensor {
    let delta = Tensor(uninitialized: [dout.rows, heads], in: dout.workspace)
    Tensor.forEachBlock(of: [out]) { rows in
      out.reading(rows) { out in
        apus_row_dots(
          delta.pointer + rows.lowerBound * heads,
          dout.pointer + rows.lowerBound * dout.columns, dim, out, dim, rows.count * heads, dim)
      }
    }
    return delta
  }
}
