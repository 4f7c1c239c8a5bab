// The forward and the backward pass of blocked attention; Tensor+Attention.swift has the formulas and
// the legend.
import CKernels

extension AttentionShape {
  /// Calls `body` for every block of the query heads that share `keyHead`, head after head.
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

  /// Spreads (sequence, key head) pairs over the team: derivatives of keys and values are sums
  /// within a pair.
  private func forEachPair(
    in workspace: Workspace, _ body: (_ sequence: Int, _ keyHead: Int, _ lane: Int) -> Void
  ) {
    workspace.forEach(sequences * keyHeads) { index, lane in
      body(index / keyHeads, index % keyHeads, lane)
    }
  }

  /// Calls `body` for every run of rows of `block` with where its first score lies from the block's
  /// own, and clears the scores of keys outside the run's example.
  ///
  /// - Parameter bias: What is added to the scaled scores; `body` is then told to scale by 1.
  private func forEachRun(
    _ block: AttentionBlock, of scores: UnsafeMutablePointer<Float>, head: Int,
    bias: BiasDiagonals?,
    _ body: (
      _ run: AttentionBlock.Run, _ scores: UnsafeMutablePointer<Float>, _ columns: Int,
      _ firstLimit: Int, _ scale: Float
    ) -> Void
  ) {
    for run in block.runs {
      let own = scores + (run.rows.lowerBound - block.rows.lowerBound) * pitch
      for unseen in [block.columns.lowerBound..<run.start, run.end..<block.columns.upperBound]
      where !unseen.isEmpty {
        for row in 0..<run.rows.count {
          (own + row * pitch + unseen.lowerBound).update(repeating: 0, count: unseen.count)
        }
      }
      let columns = run.end - run.start
      let limit = isCausal ? keys - queries + run.rows.lowerBound + 1 - run.start : columns
      if let bias {
        apus_attention_bias(
          own + run.start, bias.at(head, row: run.rows.lowerBound, column: run.start),
          run.rows.count, columns, pitch, scale)
      }
      body(run, own + run.start, columns, limit, bias == nil ? scale : 1)
    }
  }

  /// Where the dropout words of a block start.
  private func firstWord(_ sequence: Int, _ head: Int, _ row: Int) -> Int {
    ((sequence * heads + head) * queries + row) * pitch
  }

  /// A block of scores as a factor of products with matrices of `type`.
  private func factor(
    _ scores: UnsafeMutablePointer<Float>, rows: Int, as type: ElementType,
    in half: UnsafeMutablePointer<UInt16>, transposed: Bool = false
  ) -> Matrix {
    guard type == .bfloat16 else {
      return Matrix(scores, pitch: pitch, transposed: transposed)
    }
    apus_round_half(half, scores, rows * pitch)
    return Matrix(half, pitch: pitch, transposed: transposed)
  }

  /// One of the two products of a block; without instructions for pairs where it is to agree with one
  /// query over a cache, which has none.
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

  /// Fills `out` and the log-sums [B, H, T].
  func forward(
    q: HeadRows, k: HeadRows, v: HeadRows, out: HeadRows, logSums: UnsafeMutablePointer<Float>,
    terms: AttentionTerms, in workspace: Workspace
  ) {
    let blocks = AttentionBlocks(
      self, starts: terms.starts, keyLengths: terms.keyLengths, type: q.type)
    let area = AttentionBlocks.size * pitch
    let bias = terms.bias?.diagonals(of: self)
    workspace.count(operations: 2 * blocks.operations(self))
    forEachPair(in: workspace) { sequence, keyHead, lane in
      workspace.withScratch(area) { scores in
        workspace.withHalfScratch(q.type == .bfloat16 ? area : 0) { half in
          forEachBlock(blocks[sequence], of: keyHead) { head, block in
            let (rows, columns) = (block.rows, block.columns)
            let first = rows.lowerBound
            let sums = logSums + (sequence * heads + head) * queries
            product(
              q.matrix(head, dim: dim, sequence: sequence, row: first),
              k.matrix(
                keyHead, dim: dim, sequence: sequence, row: columns.lowerBound, transposed: true),
              into: MatrixDestination(scores + columns.lowerBound, pitch: pitch), m: rows.count,
              n: columns.count, k: dim, lane: lane, in: workspace)
            forEachRun(block, of: scores, head: head, bias: bias) {
              run, scores, columns, limit, scale in
              apus_attention_softmax(
                scores, sums + run.rows.lowerBound, run.rows.count, columns, pitch, limit, scale)
            }
            terms.dropout?.apply(
              scores, scores, count: rows.count * pitch, first: firstWord(sequence, head, first))
            product(
              factor(scores, rows: rows.count, as: v.type, in: half)
                .from(row: 0, column: columns.lowerBound),
              v.matrix(keyHead, dim: dim, sequence: sequence, row: columns.lowerBound),
              into: out.destination(head, dim: dim, sequence: sequence, row: first), m: rows.count,
              n: dim, k: columns.count, lane: lane, in: workspace)
          }
        }
      }
    }
  }

  /// Adds to or overwrites the derivatives of q, k and v, as each of the flags says, and adds to that
  /// of the bias.
  ///
  /// - Parameters:
  ///   - dout: The derivative of the result as products read it.
  ///   - delta: δ, [B·T, H].
  ///   - terms: As in `forward`.
  func backward(
    q: HeadRows, k: HeadRows, v: HeadRows, dout: HeadRows, delta: Tensor,
    logSums: UnsafeMutablePointer<Float>, terms: AttentionTerms,
    dq: (rows: HeadRows, adds: Bool), dk: (rows: HeadRows, adds: Bool),
    dv: (rows: HeadRows, adds: Bool), in workspace: Workspace
  ) {
    let blocks = AttentionBlocks(
      self, starts: terms.starts, keyLengths: terms.keyLengths, type: q.type)
    let area = AttentionBlocks.size * pitch
    let (dropout, bias) = (terms.dropout, terms.bias?.diagonals(of: self))
    // Derivatives along the diagonals, for every sequence.
    let dbias =
      terms.bias?.table.needsGradient == true
      ? (0..<sequences).map { _ in BiasDiagonals(self, in: workspace) } : []
    workspace.count(operations: 5 * blocks.operations(self))
    forEachPair(in: workspace) { sequence, keyHead, lane in
      // The last block of a whole sequence comes first and covers every key: it is the one that
      // overwrites. No block of several examples or under a window does.
      let isCovered = blocks.isCovered
      for (gradient, adds) in [dk, dv] where !adds && !isCovered {
        clear(gradient, keyHead, sequence)
      }
      if !dbias.isEmpty { dbias[sequence].clear(queryHeads(of: keyHead)) }
      workspace.withScratch((dropout == nil ? 2 : 3) * area) { scratch in
        let p = scratch
        let dp = scratch + area
        let dropped = dropout == nil ? p : scratch + 2 * area
        workspace.withHalfScratch(q.type == .bfloat16 ? area : 0) { half in
          forEachBlock(blocks[sequence], of: keyHead) { head, block in
            let (rows, columns) = (block.rows, block.columns)
            let (first, start) = (rows.lowerBound, columns.lowerBound)
            let sums = logSums + (sequence * heads + head) * queries
            let queryRows = q.matrix(head, dim: dim, sequence: sequence, row: first)
            let keyRows = k.matrix(keyHead, dim: dim, sequence: sequence, row: start)
            let doutRows = dout.matrix(head, dim: dim, sequence: sequence, row: first)
            let overwrites =
              isCovered && head % (heads / keyHeads) == 0 && rows.upperBound == queries
            workspace.multiplyPanel(
              queryRows,
              k.matrix(keyHead, dim: dim, sequence: sequence, row: start, transposed: true),
              into: MatrixDestination(p + start, pitch: pitch), m: rows.count, n: columns.count,
              k: dim, lane: lane)
            forEachRun(block, of: p, head: head, bias: bias) { run, p, columns, limit, scale in
              apus_attention_probabilities(
                p, sums + run.rows.lowerBound, run.rows.count, columns, pitch, limit, scale)
            }
            workspace.multiplyPanel(
              doutRows,
              v.matrix(keyHead, dim: dim, sequence: sequence, row: start, transposed: true),
              into: MatrixDestination(dp + start, pitch: pitch), m: rows.count, n: columns.count,
              k: dim, lane: lane)
            if let dropout {
              let word = firstWord(sequence, head, first)
              dropout.apply(dropped, p, count: rows.count * pitch, first: word)
              dropout.apply(dp, dp, count: rows.count * pitch, first: word)
            }
            workspace.multiplyPanel(
              factor(dropped, rows: rows.count, as: q.type, in: half, transposed: true)
                .from(row: 0, column: start), doutRows,
              into: dv.rows.destination(keyHead, dim: dim, sequence: sequence, row: start),
              m: columns.count, n: dim, k: rows.count, adds: !overwrites || dv.adds, lane: lane)
            apus_attention_dscores(
              dp + start, p + start, delta.pointer + (sequence * queries + first) * heads + head,
              heads, rows.count, columns.count, pitch, scale)
            if !dbias.isEmpty {
              apus_attention_dbias(
                dbias[sequence].at(head, row: first, column: start), dp + start, rows.count,
                columns.count, pitch)
            }
            let ds = factor(dp, rows: rows.count, as: q.type, in: half)
              .from(row: 0, column: start)
            workspace.multiplyPanel(
              ds, keyRows,
              into: dq.rows.destination(head, dim: dim, sequence: sequence, row: first),
              m: rows.count, n: dim, k: columns.count, adds: dq.adds, lane: lane)
            workspace.multiplyPanel(
              Matrix(base: ds.base, type: ds.type, pitch: ds.pitch, transposed: true), queryRows,
              into: dk.rows.destination(keyHead, dim: dim, sequence: sequence, row: start),
              m: columns.count, n: dim, k: rows.count, adds: !overwrites || dk.adds, lane: lane)
          }
        }
      }
    }
    terms.bias?.accumulate(dbias, of: self)
  }

  /// Sets the derivative of one key head to zero.
  private func clear(_ gradient: HeadRows, _ keyHead: Int, _ sequence: Int) {
    for row in 0..<keys {
      gradient.address(keyHead, dim: dim, sequence: sequence, row: row)
        .assumingMemoryBound(to: Float.self).update(repeating: 0, count: dim)
    }
  }

  /// δ = Σ_d dout·out of every row and head, [B·T, H]; `dout` in fp32.
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
