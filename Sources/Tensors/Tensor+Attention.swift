// Scaled dot-product attention in blocks of query rows (in the manner of Dao et al. 2022): the scores
// of one block exist at a time, never a T×T matrix per head.
//
// Legend: B sequences, T query rows and S key rows a sequence (S ≥ T; query t sits at key position
// S − T + t), H heads, G key heads (H is a multiple of G), D head size. A sequence may hold several
// examples, each of which sees itself alone (see AttentionBlocks.swift). The factor c is 1/√D but in
// families that have none; b is a bias by relative position, or nothing (see RelativeBias.swift).
//
//   scores = c·q·kᵀ + b,  p = softmax(scores),  out = dropout(p)·v
// Backward, with the probabilities rebuilt from the saved log-sums, and δ = Σ_d dout·out:
//   dv = dropout(p)ᵀ·dout,  dp = dropout(dout·vᵀ),  ds = p∘(dp − δ),
//   dq = c·ds·k,  dk = c·dsᵀ·q,  db = ds;  a key head adds up the query heads that share it.

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
  ///   - starts: For every row where within its sequence its example starts, [B·T]: it sees nothing
  ///     before that. Empty when every sequence is one example.
  public func packedCausalAttention(
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
    let attention = AttentionShape(
      sequences: sequences, queries: length, keys: length, heads: heads, keyHeads: heads,
      dim: width / heads)
    let terms = AttentionTerms(dropout: dropout, starts: starts)
    let part = { (base: UnsafeMutableRawPointer, type: ElementType, index: Int) in
      HeadRows(
        base: base + index * width * type.stride, type: type, pitch: 3 * width,
        sequencePitch: length * 3 * width)
    }
    let type = type
    let y = Tensor(uninitialized: [rows, width], type: type, in: workspace)
    let logSums = Tensor(uninitialized: [sequences, heads, length], in: workspace)
    attention.forward(
      q: part(base, type, 0), k: part(base, type, 1), v: part(base, type, 2),
      out: y.headRows(sequences), logSums: logSums.pointer, terms: terms, in: workspace)
    return y.recorded(from: packed) { dy in
      packed.accumulate { gradient, adds in
        let dout = dy.operand
        withExtendedLifetime(dout) {
          attention.backward(
            q: part(packed.base, type, 0), k: part(packed.base, type, 1),
            v: part(packed.base, type, 2), dout: dout.headRows(sequences),
            delta: attention.delta(dout: dy, out: y), logSums: logSums.pointer, terms: terms,
            dq: (part(gradient, .float32, 0), adds), dk: (part(gradient, .float32, 1), adds),
            dv: (part(gradient, .float32, 2), adds), in: packed.workspace)
        }
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
  ///   - starts: For every row where within its sequence its example starts, [B·T], with as many keys
  ///     as queries; empty when every sequence is one example.
  ///   - window: How many keys a query sees, the last ones with its own; nil for all.
  public func causalAttention(
    keys: Tensor, values: Tensor, sequences: Int, heads: Int, keyHeads: Int,
    dropout: DropoutMask? = nil, starts: [Int32] = [], window: Int? = nil
  ) -> Tensor {
    attention(
      keys: keys, values: values, sequences: sequences, heads: heads, keyHeads: keyHeads,
      dropout: dropout, starts: starts, reach: .causal(window: window))
  }

  /// Attention where `self` holds the queries [B·T, H·D]; see `causalAttention`.
  ///
  /// - Parameters:
  ///   - reach: Which keys of its example a query sees.
  ///   - keyLengths: How many keys of every sequence are no padding, [B], each at least 1, with a
  ///     full reach and no `starts`; empty when all are.
  ///   - scale: Factor of the products of queries and keys; 1/√D when nil.
  ///   - bias: What is added to the scores by the distance of query and key, or nil.
  public func attention(
    keys: Tensor, values: Tensor, sequences: Int, heads: Int, keyHeads: Int,
    dropout: DropoutMask? = nil, starts: [Int32] = [], reach: AttentionReach,
    keyLengths: [Int32] = [], scale: Float? = nil, bias: RelativeBias? = nil
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
      "attention: queries, keys and values gather their derivatives in different places")
    let attention = AttentionShape(
      sequences: sequences, queries: rows / sequences, keys: keys.rows / sequences, heads: heads,
      keyHeads: keyHeads, dim: dim, reach: reach, scale: scale)
    let terms = AttentionTerms(
      dropout: dropout, starts: starts, keyLengths: keyLengths, bias: bias)
    let y = Tensor(uninitialized: [rows, columns], type: type, in: workspace)
    let logSums = Tensor(uninitialized: [sequences, heads, attention.queries], in: workspace)
    attention.forward(
      q: q.headRows(sequences), k: keys.headRows(sequences), v: values.headRows(sequences),
      out: y.headRows(sequences), logSums: logSums.pointer, terms: terms, in: workspace)
    return y.recorded(from: q, keys, values, bias?.table) { dy in
      q.withGradient { dq, dqAdds in
        keys.withGradient { dk, dkAdds in
          values.withGradient { dv, dvAdds in
            let dout = dy.operand
            withExtendedLifetime(dout) {
              attention.backward(
                q: q.headRows(sequences), k: keys.headRows(sequences),
                v: values.headRows(sequences), dout: dout.headRows(sequences),
                delta: attention.delta(dout: dy, out: y), logSums: logSums.pointer, terms: terms,
                dq: (q.headRows(sequences, at: dq), dqAdds),
                dk: (keys.headRows(sequences, at: dk), dkAdds),
                dv: (values.headRows(sequences, at: dv), dvAdds), in: q.workspace)
            }
          }
        }
      }
    }
  }

  /// The heads of these values, or of their derivative at `gradient`.
  func headRows(_ sequences: Int, at gradient: UnsafeMutablePointer<Float>? = nil) -> HeadRows {
    HeadRows(
      base: gradient.map { UnsafeMutableRawPointer($0) } ?? base,
      type: gradient == nil ? type : .float32, pitch: columns,
      sequencePitch: rows / sequences * columns, owner: gradient == nil ? storage : nil)
  }
}
