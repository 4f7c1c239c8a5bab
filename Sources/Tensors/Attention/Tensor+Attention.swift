// Scaled dot-product attention in blocks of query rows (similar to Dao et al. 2022): only the
// scores of one block exist at a time, never a T×T matrix per head.
//
// Legend: B sequences, T query rows and S key rows per sequence (query t is at key position S − T +
// t; a causal mask needs S ≥ T), H heads, G key heads (H is a multiple of G), D head size. A
// sequence may hold several examples, which do not attend to each other (see
// AttentionBlocks.swift). The factor c is 1/√D unless a model family defines another one; b is a
// relative position bias or absent (see RelativeBias.swift).
//
//   scores = c·q·kᵀ + b,  p = softmax(scores),  out = dropout(p)·v
// Backward, with p recomputed from the saved log-sum-exp of every row, and δ = Σ_d dout·out:
//   dv = dropout(p)ᵀ·dout,  dp = dropout(dout·vᵀ),  ds = p∘(dp − δ),
//   dq = c·ds·k,  dk = c·dsᵀ·q,  db = ds.
// The gradient of a key head is the sum over the query heads that share it.

extension Tensor {
  /// Returns the causal attention of packed projections: `self` is [B·T, 3·H·D] with q, k and v
  /// side by side in every row, as GPT-2 computes them.
  ///
  /// Result: [B·T, H·D].
  ///
  /// - Parameters:
  ///   - sequences: B, which divides the number of rows.
  ///   - heads: H.
  ///   - dropout: Dropout mask of the probabilities, or nil.
  ///   - starts: The first row of every row's example within its sequence, [B·T]; a row attends to
  ///     nothing before it. Empty when every sequence is one example.
  package func packedCausalAttention(
    sequences: Int, heads: Int, dropout: DropoutMask? = nil, starts: [Int32] = []
  ) -> Tensor {
    let packed = self
    let width = columns / 3
    precondition(
      columns % 3 == 0 && width % heads == 0 && sequences > 0 && rows % sequences == 0
        && (starts.isEmpty || starts.count == rows),
      "packedCausalAttention: shape \(shape), \(sequences) sequences, \(heads) heads, "
        + "\(starts.count) starts")
    let length = rows / sequences
    let shape = AttentionShape(
      sequences: sequences, queries: length, keys: length, heads: heads, keyHeads: heads,
      dim: width / heads)
    let settings = AttentionSettings(dropout: dropout, starts: starts)
    // q, k and v within packed rows that begin at `base`.
    let part = { (base: UnsafeMutableRawPointer, type: ElementType, index: Int) in
      HeadRows(
        base: base + index * width * type.stride, type: type, rowStride: 3 * width,
        sequenceStride: length * 3 * width)
    }
    let type = type
    let y = Tensor(uninitialized: [rows, width], type: type, in: workspace)
    let logSumExps = Tensor(uninitialized: [sequences, heads, length], in: workspace)
    let pass = {
      AttentionPass(
        shape, settings, q: part(packed.base, type, 0), k: part(packed.base, type, 1),
        v: part(packed.base, type, 2), logSumExps: logSumExps)
    }
    pass().forward(into: y.headRows(sequences))
    return y.recorded(from: packed) { dy in
      packed.accumulate { gradient, adds in
        pass().backward(
          dy, of: y,
          into: AttentionGradients(
            q: (part(gradient, .float32, 0), adds), k: (part(gradient, .float32, 1), adds),
            v: (part(gradient, .float32, 2), adds)))
      }
    }
  }

  /// Returns the attention of the queries `self` [B·T, H·D].
  ///
  /// Result: [B·T, H·D].
  ///
  /// - Parameters:
  ///   - keys: [B·S, G·D]; the T queries of a sequence are its last T positions.
  ///   - values: [B·S, G·D].
  ///   - sequences: B.
  ///   - heads: H.
  ///   - keyHeads: G; each is shared by H/G heads (grouped-query attention, Ainslie et al. 2023).
  ///   - dropout: Dropout mask of the probabilities, or nil.
  ///   - starts: The first row of every row's example within its sequence, [B·T]; requires S = T.
  ///     Empty when every sequence is one example.
  ///   - reach: The keys of its example that a query attends to.
  ///   - keyLengths: The number of keys of every sequence that are not padding, [B], each at least
  ///     1. Requires a full reach and no `starts`. Empty when there is no padding.
  ///   - scale: Factor of the scores q·kᵀ; 1/√D when nil.
  ///   - bias: Relative position bias of the scores, or nil.
  package func attention(
    keys: Tensor, values: Tensor, sequences: Int, heads: Int, keyHeads: Int,
    dropout: DropoutMask? = nil, starts: [Int32] = [],
    reach: AttentionReach = .causal(window: nil), keyLengths: [Int32] = [], scale: Float? = nil,
    bias: RelativeBias? = nil
  ) -> Tensor {
    let q = self
    let dim = columns / max(heads, 1)
    precondition(
      sequences > 0 && columns % heads == 0 && heads % keyHeads == 0
        && keys.columns == keyHeads * dim && values.shape == keys.shape
        && keys.type == type && values.type == type
        && rows % sequences == 0 && keys.rows % sequences == 0
        && (keys.rows >= rows || reach == .full)
        && (starts.isEmpty || starts.count == rows && keys.rows == rows)
        && bias.map { $0.table.columns == heads } ?? true,
      "attention: q \(shape), k \(keys.shape), v \(values.shape), \(sequences) sequences, "
        + "\(heads) heads, \(keyHeads) key heads, \(starts.count) starts, "
        + "bias \(bias?.table.shape ?? [])")
    let tracked = [q, keys, values].compactMap { $0.variable.map(ObjectIdentifier.init) }
    precondition(
      Set(tracked).count == tracked.count,
      "attention: queries, keys and values must have different gradients")
    let shape = AttentionShape(
      sequences: sequences, queries: rows / sequences, keys: keys.rows / sequences, heads: heads,
      keyHeads: keyHeads, dim: dim, reach: reach, scale: scale)
    let settings = AttentionSettings(
      dropout: dropout, starts: starts, keyLengths: keyLengths, bias: bias)
    let y = Tensor(uninitialized: [rows, columns], type: type, in: workspace)
    let logSumExps = Tensor(uninitialized: [sequences, heads, shape.queries], in: workspace)
    let pass = {
      AttentionPass(
        shape, settings, q: q.headRows(sequences), k: keys.headRows(sequences),
        v: values.headRows(sequences), logSumExps: logSumExps)
    }
    pass().forward(into: y.headRows(sequences))
    return y.recorded(from: q, keys, values, bias?.table) { dy in
      Tensor.withGradients(q, keys, values, sequences: sequences) {
        pass().backward(dy, of: y, into: $0)
      }
    }
  }

  /// Calls `body` with the destinations of the gradients of q, k and v; see `withGradient`.
  private static func withGradients(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, sequences: Int, _ body: (AttentionGradients) -> Void
  ) {
    q.withGradient { dq, dqAdds in
      k.withGradient { dk, dkAdds in
        v.withGradient { dv, dvAdds in
          body(
            AttentionGradients(
              q: (q.headRows(sequences, at: dq), dqAdds),
              k: (k.headRows(sequences, at: dk), dkAdds),
              v: (v.headRows(sequences, at: dv), dvAdds)))
        }
      }
    }
  }

  /// Returns the heads of these values, or of their gradient at `gradient`.
  func headRows(_ sequences: Int, at gradient: UnsafeMutablePointer<Float>? = nil) -> HeadRows {
    HeadRows(
      base: gradient.map { UnsafeMutableRawPointer($0) } ?? base,
      type: gradient == nil ? type : .float32, rowStride: columns,
      sequenceStride: rows / sequences * columns, owner: gradient == nil ? storage : nil)
  }
}
