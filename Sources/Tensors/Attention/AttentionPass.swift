// The forward and the backward pass of blocked attention; Tensor+Attention.swift has the formulas
// and the legend.
import CKernels

/// One attention with its operands, which both of its passes read.
///
/// It is an object, because every block refers to it.
final class AttentionPass {
  let shape: AttentionShape
  let settings: AttentionSettings
  /// [B·T, H·D].
  let q: HeadRows
  /// [B·S, G·D].
  let k: HeadRows
  /// [B·S, G·D].
  let v: HeadRows
  /// [B, H, T]; the forward pass fills it.
  let logSumExps: Tensor
  let blocks: AttentionBlocks
  let bias: BiasDiagonals?

  init(
    _ shape: AttentionShape, _ settings: AttentionSettings, q: HeadRows, k: HeadRows, v: HeadRows,
    logSumExps: Tensor
  ) {
    self.shape = shape
    self.settings = settings
    (self.q, self.k, self.v) = (q, k, v)
    self.logSumExps = logSumExps
    blocks = AttentionBlocks(
      shape, starts: settings.starts, keyLengths: settings.keyLengths, type: q.type)
    bias = settings.bias?.diagonals(of: shape)
  }

  var workspace: Workspace { logSumExps.workspace }

  /// Fills `out` [B·T, H·D] and the log-sum-exps.
  func forward(into out: HeadRows) {
    workspace.count(operations: 2 * blocks.operations(shape))
    forEachBlock(scoreMatrices: 1, ascending: workspace.isBatchInvariant) { block in
      let p = block.scores(0)
      // S = Q·Kᵀ [rows × columns]
      block.multiply(block.queries(q), block.keys(k).transposed, into: p)
      // P = softmax(c·S + b) [rows × columns]
      block.forEachRun(of: p) { apus_attention_softmax($0, $1, $2, $3, $4, $5, $6) }
      // P = dropout(P) [rows × columns]
      block.drop(p, into: p)
      // O = P·V [rows × D]
      block.multiply(block.operand(p), block.keys(v), into: block.queries(out))
    }
  }

  /// Adds to or overwrites the gradients of q, k and v, and adds to the gradient of the bias.
  ///
  /// - Parameters:
  ///   - dy: The gradient with respect to the result, [B·T, H·D], in fp32.
  ///   - y: The result of `forward`, [B·T, H·D].
  func backward(_ dy: Tensor, of y: Tensor, into gradients: AttentionGradients) {
    let dout = dy.operand
    let delta = delta(dy, y)
    let dbias =
      settings.bias?.table.needsGradient == true
      ? (0..<shape.sequences).map { _ in BiasDiagonals(shape, in: workspace) } : []
    workspace.count(operations: 5 * blocks.operations(shape))
    // The last block of a sequence comes first. Without packing, padding and window it covers every
    // key, so it overwrites the gradients and the other blocks add. Otherwise no block covers every
    // key, and the gradients are zeroed first.
    func clear(_ sequence: Int, _ keyHead: Int) {
      for (gradient, adds) in [gradients.k, gradients.v] where !adds && !blocks.isCovered {
        gradient.clear(keyHead, dim: shape.dim, sequence: sequence, rows: shape.keys)
      }
      if !dbias.isEmpty { dbias[sequence].clear(shape.queryHeads(of: keyHead)) }
    }
    withExtendedLifetime(dout) {
      let dout = dout.headRows(shape.sequences)
      forEachBlock(scoreMatrices: settings.dropout == nil ? 2 : 3, before: clear) { block in
        block.backward(dout, delta, gradients, dbias: dbias.isEmpty ? nil : dbias[block.sequence])
      }
    }
    settings.bias?.accumulate(dbias, of: shape)
  }

  /// Calls `body` for every block, with (sequence, key head) pairs spread over the team: gradients
  /// of keys and values are summed within a pair.
  ///
  /// - Parameters:
  ///   - scoreMatrices: The number of matrices of scores that `body` needs.
  ///   - ascending: True for products whose bits do not depend on the number of rows.
  ///   - prepare: Called before the first block of a pair.
  private func forEachBlock(
    scoreMatrices: Int, ascending: Bool = false,
    before prepare: (_ sequence: Int, _ keyHead: Int) -> Void = { _, _ in },
    _ body: (BlockContext) -> Void
  ) {
    let area = AttentionBlocks.size * shape.rowStride
    workspace.forEach(shape.sequences * shape.keyHeads) { index, lane in
      let (sequence, keyHead) = index.quotientAndRemainder(dividingBy: shape.keyHeads)
      prepare(sequence, keyHead)
      workspace.withScratch(scoreMatrices * area) { scratch in
        workspace.withBF16Scratch(q.type == .bfloat16 ? area : 0) { bf16 in
          for head in shape.queryHeads(of: keyHead) {
            for block in blocks[sequence] {
              body(
                BlockContext(
                  pass: self, sequence: sequence, head: head, keyHead: keyHead, block: block,
                  lane: lane, ascending: ascending, scratch: scratch, bf16Scratch: bf16))
            }
          }
        }
      }
    }
  }

  /// Returns δ = Σ_d dy·y of every row and head, [B·T, H].
  private func delta(_ dy: Tensor, _ y: Tensor) -> Tensor {
    let (heads, dim) = (shape.heads, shape.dim)
    let delta = Tensor(uninitialized: [dy.rows, heads], in: workspace)
    Tensor.forEachBlock(of: [y]) { rows in
      y.reading(rows) { y in
        apus_row_dots(
          delta.pointer + rows.lowerBound * heads, dy.pointer + rows.lowerBound * dy.columns, dim,
          y, dim, rows.count * heads, dim)
      }
    }
    return delta
  }
}

extension BlockContext {
  /// Computes this block's part of the gradients.
  ///
  /// - Parameters:
  ///   - dout: The gradient with respect to the result, in the operand precision.
  ///   - delta: δ, [B·T, H].
  ///   - dbias: The gradient of the bias along the diagonals, or nil.
  fileprivate func backward(
    _ dout: HeadRows, _ delta: Tensor, _ gradients: AttentionGradients, dbias: BiasDiagonals?
  ) {
    let (q, k, v, dout) = (queries(pass.q), keys(pass.k), keys(pass.v), queries(dout))
    let (p, dp) = (scores(0), scores(1))
    let dropped = pass.settings.dropout == nil ? p : scores(2)
    let overwrites = pass.blocks.isCovered && isFirst
    // S = Q·Kᵀ [rows × columns]
    multiply(q, k.transposed, into: p)
    // P = exp(c·S + b − LSE) [rows × columns]
    forEachRun(of: p) { apus_attention_probabilities($0, $1, $2, $3, $4, $5, $6) }
    // dP = dropout(dout·Vᵀ) [rows × columns], with the mask of dropout(P)
    multiply(dout, v.transposed, into: dp)
    drop(p, into: dropped)
    drop(dp, into: dp)
    // dV += dropout(P)ᵀ·dout [columns × D]
    multiply(
      operand(dropped).transposed, dout, into: keys(gradients.v.rows),
      adds: !overwrites || gradients.v.adds)
    // dS = c·P∘(dP − δ) [rows × columns], over dP
    apus_attention_dscores(
      dp.floats, p.floats, delta.pointer + firstQuery * shape.heads + head, shape.heads, rows.count,
      columns.count, shape.rowStride, shape.scale)
    // db += dS along the diagonals
    if let dbias {
      apus_attention_dbias(
        dbias.at(head, row: rows.lowerBound, column: columns.lowerBound), dp.floats, rows.count,
        columns.count, shape.rowStride)
    }
    let ds = operand(dp)
    // dQ += dS·K [rows × D]
    multiply(ds, k, into: queries(gradients.q.rows), adds: gradients.q.adds)
    // dK += dSᵀ·Q [columns × D]
    multiply(
      ds.transposed, q, into: keys(gradients.k.rows), adds: !overwrites || gradients.k.adds)
  }
}
