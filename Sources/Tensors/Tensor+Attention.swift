// Scaled dot-product attention, causal, in blocks of query rows (in the manner of Dao et al. 2022):
// the scores of one block exist at a time, never a T×T matrix per head.
//
// Legend: B sequences, T query rows and S key rows a sequence (S ≥ T; query t sits at key position
// S − T + t), H heads, G key heads (H is a multiple of G), D head size.
//
//   scores = q·kᵀ/√D,  p = softmax(scores),  out = dropout(p)·v
// Backward, with the probabilities rebuilt from the saved log-sums, and δ = Σ_d dout·out:
//   dv = dropout(p)ᵀ·dout,  dp = dropout(dout·vᵀ),  ds = p∘(dp − δ),
//   dq = ds·k/√D,  dk = dsᵀ·q/√D;  a key head adds up the query heads that share it.
import CKernels

/// Sizes of one attention.
struct AttentionShape {
  let sequences: Int
  let queries: Int
  let keys: Int
  let heads: Int
  let keyHeads: Int
  let dim: Int
  var scale: Float { 1 / Float(dim).squareRoot() }
  /// Row pitch of a block of scores; a multiple of 4, as dropout's words want it.
  var pitch: Int { (keys + 15) / 16 * 16 }
  /// Query rows per block.
  static let block = 64
}

/// Rows of heads somewhere in memory: row t of sequence b starts at b·sequencePitch + t·pitch.
struct HeadRows {
  let pointer: UnsafeMutablePointer<Float>
  let pitch: Int
  let sequencePitch: Int

  func head(_ head: Int, dim: Int, sequence: Int, row: Int = 0) -> UnsafeMutablePointer<Float> {
    pointer + sequence * sequencePitch + row * pitch + head * dim
  }
}

extension AttentionShape {
  /// Calls `body` for every (sequence, head) and block of its query rows, last block first.
  private func forEachBlock(
    _ body: (_ sequence: Int, _ head: Int, _ keyHead: Int, _ rows: Range<Int>, _ columns: Int) ->
      Void
  ) {
    for sequence in 0..<sequences {
      for head in 0..<heads {
        let blocks = (queries + AttentionShape.block - 1) / AttentionShape.block
        for index in stride(from: blocks - 1, through: 0, by: -1) {
          let rows =
            index * AttentionShape.block..<min(queries, (index + 1) * AttentionShape.block)
          body(
            sequence, head, head / (heads / keyHeads), rows, keys - queries + rows.upperBound)
        }
      }
    }
  }

  /// Where the dropout words of a block start.
  private func firstWord(_ sequence: Int, _ head: Int, _ row: Int) -> Int {
    ((sequence * heads + head) * queries + row) * pitch
  }

  /// Fills `out` and the log-sums [B, H, T].
  func forward(
    q: HeadRows, k: HeadRows, v: HeadRows, out: HeadRows, logSums: UnsafeMutablePointer<Float>,
    dropout: DropoutMask?, in workspace: Workspace
  ) {
    workspace.withScratch(AttentionShape.block * pitch) { scores in
      forEachBlock { sequence, head, keyHead, rows, columns in
        multiply(
          Matrix(q.head(head, dim: dim, sequence: sequence, row: rows.lowerBound), pitch: q.pitch),
          Matrix(k.head(keyHead, dim: dim, sequence: sequence), pitch: k.pitch, transposed: true),
          into: scores, pitch: pitch, m: rows.count, n: columns, k: dim, alpha: scale, beta: 0)
        apus_attention_softmax(
          scores, logSums + (sequence * heads + head) * queries + rows.lowerBound, rows.count,
          columns, pitch, columns - rows.count + 1)
        dropout?.apply(
          scores, scores, count: rows.count * pitch,
          first: firstWord(sequence, head, rows.lowerBound))
        multiply(
          Matrix(scores, pitch: pitch),
          Matrix(v.head(keyHead, dim: dim, sequence: sequence), pitch: v.pitch),
          into: out.head(head, dim: dim, sequence: sequence, row: rows.lowerBound),
          pitch: out.pitch, m: rows.count, n: dim, k: columns, beta: 0)
      }
    }
  }

  /// Adds to or overwrites the derivatives of q, k and v, as each of the flags says.
  func backward(
    q: HeadRows, k: HeadRows, v: HeadRows, out: HeadRows, dout: HeadRows,
    logSums: UnsafeMutablePointer<Float>, dropout: DropoutMask?,
    dq: (rows: HeadRows, adds: Bool), dk: (rows: HeadRows, adds: Bool),
    dv: (rows: HeadRows, adds: Bool), in workspace: Workspace
  ) {
    guard queries > 0 else {
      // No block runs, so nobody else writes these.
      for (gradient, adds) in [dk, dv] where !adds {
        for sequence in 0..<sequences {
          gradient.head(0, dim: dim, sequence: sequence)
            .update(repeating: 0, count: keys * gradient.pitch)
        }
      }
      return
    }
    let area = AttentionShape.block * pitch
    workspace.withScratch(3 * area + AttentionShape.block) { scratch in
      let p = scratch
      let dp = scratch + area
      let dropped = dropout == nil ? p : scratch + 2 * area
      let delta = scratch + 3 * area
      forEachBlock { sequence, head, keyHead, rows, columns in
        let first = rows.lowerBound
        let queryRows = q.head(head, dim: dim, sequence: sequence, row: first)
        let keyRows = k.head(keyHead, dim: dim, sequence: sequence)
        let doutRows = dout.head(head, dim: dim, sequence: sequence, row: first)
        // The last block comes first and covers every key: it is the one that overwrites.
        let isFirst = head % (heads / keyHeads) == 0 && rows.upperBound == queries
        multiply(
          Matrix(queryRows, pitch: q.pitch), Matrix(keyRows, pitch: k.pitch, transposed: true),
          into: p,
          pitch: pitch, m: rows.count, n: columns, k: dim, alpha: scale, beta: 0)
        apus_attention_probabilities(
          p, logSums + (sequence * heads + head) * queries + first, rows.count, columns, pitch,
          columns - rows.count + 1)
        multiply(
          Matrix(doutRows, pitch: dout.pitch),
          Matrix(
            v.head(keyHead, dim: dim, sequence: sequence),
            pitch: v.pitch, transposed: true), into: dp, pitch: pitch, m: rows.count, n: columns,
          k: dim, beta: 0)
        if let dropout {
          let word = firstWord(sequence, head, first)
          dropout.apply(dropped, p, count: rows.count * pitch, first: word)
          dropout.apply(dp, dp, count: rows.count * pitch, first: word)
        }
        multiply(
          Matrix(dropped, pitch: pitch, transposed: true), Matrix(doutRows, pitch: dout.pitch),
          into: dv.rows.head(keyHead, dim: dim, sequence: sequence), pitch: dv.rows.pitch,
          m: columns, n: dim, k: rows.count, beta: isFirst && !dv.adds ? 0 : 1)
        apus_row_dots(
          delta, doutRows, dout.pitch,
          out.head(head, dim: dim, sequence: sequence, row: first), out.pitch, rows.count, dim)
        apus_attention_dscores(dp, p, delta, rows.count, columns, pitch)
        multiply(
          Matrix(dp, pitch: pitch), Matrix(keyRows, pitch: k.pitch),
          into: dq.rows.head(head, dim: dim, sequence: sequence, row: first),
          pitch: dq.rows.pitch, m: rows.count, n: dim, k: columns, alpha: scale,
          beta: dq.adds ? 1 : 0)
        multiply(
          Matrix(dp, pitch: pitch, transposed: true), Matrix(queryRows, pitch: q.pitch),
          into: dk.rows.head(keyHead, dim: dim, sequence: sequence), pitch: dk.rows.pitch,
          m: columns, n: dim, k: rows.count, alpha: scale, beta: isFirst && !dk.adds ? 0 : 1)
      }
    }
  }
}

extension Tensor {
  /// Causal attention on packed projections: `self` is [B·T, 3·H·D] with q, k and v side by side in
  /// every row, as GPT-2 computes them.
  ///
  /// Result: [B·T, H·D].
  ///
  /// - Parameters:
  ///   - sequences: B; the rows divide evenly among them.
  ///   - heads: H.
  ///   - dropout: Mask on the probabilities, or nil.
  public func packedCausalAttention(sequences: Int, heads: Int, dropout: DropoutMask? = nil)
    -> Tensor
  {
    let packed = self
    let width = columns / 3
    precondition(
      columns % 3 == 0 && width % heads == 0 && sequences > 0 && rows % sequences == 0,
      "packedCausalAttention: shape \(shape), \(sequences) sequences, \(heads) heads")
    let length = rows / sequences
    let attention = AttentionShape(
      sequences: sequences, queries: length, keys: length, heads: heads, keyHeads: heads,
      dim: width / heads)
    let part = { (base: UnsafeMutablePointer<Float>, index: Int) in
      HeadRows(pointer: base + index * width, pitch: 3 * width, sequencePitch: length * 3 * width)
    }
    let plain = { (base: UnsafeMutablePointer<Float>) in
      HeadRows(pointer: base, pitch: width, sequencePitch: length * width)
    }
    let y = Tensor(uninitialized: [rows, width], in: workspace)
    let logSums = Tensor(uninitialized: [sequences, heads, length], in: workspace)
    attention.forward(
      q: part(pointer, 0), k: part(pointer, 1), v: part(pointer, 2), out: plain(y.pointer),
      logSums: logSums.pointer, dropout: dropout, in: workspace)
    return y.recorded(from: packed) { dy in
      packed.accumulate { gradient, adds in
        attention.backward(
          q: part(packed.pointer, 0), k: part(packed.pointer, 1), v: part(packed.pointer, 2),
          out: plain(y.pointer), dout: plain(dy.pointer), logSums: logSums.pointer,
          dropout: dropout, dq: (part(gradient, 0), adds), dk: (part(gradient, 1), adds),
          dv: (part(gradient, 2), adds), in: packed.workspace)
      }
    }
  }

  /// Causal attention where `self` holds the queries [B·T, H·D].
  ///
  /// Result: [B·T, H·D].
  ///
  /// - Parameters:
  ///   - keys: [B·S, G·D]; the T queries of a sequence are its last T positions.
  ///   - values: [B·S, G·D].
  ///   - sequences: B.
  ///   - heads: H.
  ///   - keyHeads: G; each serves H/G heads (grouped-query attention, Ainslie et al. 2023).
  ///   - dropout: Mask on the probabilities, or nil.
  public func causalAttention(
    keys: Tensor, values: Tensor, sequences: Int, heads: Int, keyHeads: Int,
    dropout: DropoutMask? = nil
  ) -> Tensor {
    let q = self
    let dim = columns / max(heads, 1)
    precondition(
      sequences > 0 && columns % heads == 0 && heads % keyHeads == 0
        && keys.columns == keyHeads * dim && values.shape == keys.shape
        && rows % sequences == 0 && keys.rows % sequences == 0 && keys.rows >= rows,
      "causalAttention: q \(shape), k \(keys.shape), v \(values.shape), \(sequences) sequences, "
        + "\(heads) heads, \(keyHeads) key heads")
    let tracked = [q, keys, values].compactMap { $0.variable.map(ObjectIdentifier.init) }
    precondition(
      Set(tracked).count == tracked.count,
      "causalAttention: queries, keys and values gather their derivatives in different places")
    let attention = AttentionShape(
      sequences: sequences, queries: rows / sequences, keys: keys.rows / sequences, heads: heads,
      keyHeads: keyHeads, dim: dim)
    let y = Tensor(uninitialized: [rows, columns], in: workspace)
    let logSums = Tensor(uninitialized: [sequences, heads, attention.queries], in: workspace)
    attention.forward(
      q: q.headRows(sequences), k: keys.headRows(sequences), v: values.headRows(sequences),
      out: y.headRows(sequences), logSums: logSums.pointer, dropout: dropout, in: workspace)
    return y.recorded(from: q, keys, values) { dy in
      q.withGradient { dq, dqAdds in
        keys.withGradient { dk, dkAdds in
          values.withGradient { dv, dvAdds in
            attention.backward(
              q: q.headRows(sequences), k: keys.headRows(sequences),
              v: values.headRows(sequences), out: y.headRows(sequences),
              dout: dy.headRows(sequences), logSums: logSums.pointer, dropout: dropout,
              dq: (q.headRows(sequences, at: dq), dqAdds),
              dk: (keys.headRows(sequences, at: dk), dkAdds),
              dv: (values.headRows(sequences, at: dv), dvAdds), in: q.workspace)
          }
        }
      }
    }
  }

  func headRows(_ sequences: Int, at base: UnsafeMutablePointer<Float>? = nil) -> HeadRows {
    HeadRows(
      pointer: base ?? pointer, pitch: columns, sequencePitch: rows / sequences * columns)
  }

  /// Like `accumulate`, with scratch memory when no derivative is wanted here.
  func withGradient(
    _ write: (_ destination: UnsafeMutablePointer<Float>, _ adds: Bool) -> Void
  ) {
    if needsGradient {
      accumulate(write)
    } else {
      workspace.withScratch(count) { write($0, false) }
    }
  }
}
