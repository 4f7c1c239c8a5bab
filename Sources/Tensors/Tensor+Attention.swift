// Scaled dot-product attention in blocks of query rows (in the manner of Dao et al. 2022): the scores
// of one block exist at a time, never a T×T matrix per head.
//
// Legend: B sequences, T query rows and S key rows a sequence (S ≥ T; query t sits at key position
// S − T + t), H heads, G key heads (H is a multiple of G), D head size. A sequence may hold several
// examples, each of which sees itself alone (see AttentionBlocks.swift).
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
  var reach = AttentionReach.causal(window: nil)
  var scale: Float { 1 / Float(dim).squareRoot() }
  /// Row pitch of a block of scores; a multiple of 4, as dropout's words want it.
  var pitch: Int { (keys + 15) / 16 * 16 }

  var isCausal: Bool { reach != .full }

  /// How many keys a query sees at most, where that is fewer than there are.
  var window: Int? {
    if case .causal(let window?) = reach, window < keys { window } else { nil }
  }

  /// The key after the last that any of `rows` sees in a sequence of one example.
  func end(of rows: Range<Int>, past: Int) -> Int {
    isCausal ? past + rows.upperBound : keys
  }
}

/// Rows of heads somewhere in memory: row t of sequence b starts at b·sequencePitch + t·pitch.
struct HeadRows {
  let base: UnsafeMutableRawPointer
  let type: ElementType
  let pitch: Int
  let sequencePitch: Int
  /// Keeps the memory while an attention runs; nil where a scope does.
  var owner: Storage?

  func address(_ head: Int, dim: Int, sequence: Int, row: Int = 0) -> UnsafeMutableRawPointer {
    base + (sequence * sequencePitch + row * pitch + head * dim) * type.stride
  }

  func matrix(
    _ head: Int, dim: Int, sequence: Int, row: Int = 0, transposed: Bool = false
  ) -> Matrix {
    Matrix(
      base: address(head, dim: dim, sequence: sequence, row: row), type: type, pitch: pitch,
      transposed: transposed, owner: owner)
  }

  func destination(_ head: Int, dim: Int, sequence: Int, row: Int = 0) -> MatrixDestination {
    MatrixDestination(
      base: address(head, dim: dim, sequence: sequence, row: row), type: type, pitch: pitch)
  }
}

extension AttentionShape {
  /// Calls `body` for every block of the query heads that share `keyHead`, head after head.
  private func forEachBlock(
    _ blocks: [AttentionBlock], of keyHead: Int,
    _ body: (_ head: Int, _ block: AttentionBlock) -> Void
  ) {
    let group = heads / keyHeads
    for head in keyHead * group..<(keyHead + 1) * group {
      for block in blocks { body(head, block) }
    }
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
  private func forEachRun(
    _ block: AttentionBlock, of scores: UnsafeMutablePointer<Float>,
    _ body: (
      _ run: AttentionBlock.Run, _ scores: UnsafeMutablePointer<Float>, _ columns: Int,
      _ firstLimit: Int
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
      body(run, own + run.start, columns, limit)
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
  ///
  /// - Parameter starts: Where the example of every row starts, [B·T], or empty.
  func forward(
    q: HeadRows, k: HeadRows, v: HeadRows, out: HeadRows, logSums: UnsafeMutablePointer<Float>,
    dropout: DropoutMask?, starts: [Int32] = [], in workspace: Workspace
  ) {
    let blocks = AttentionBlocks(self, starts: starts, type: q.type)
    let area = AttentionBlocks.size * pitch
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
            forEachRun(block, of: scores) { run, scores, columns, limit in
              apus_attention_softmax(
                scores, sums + run.rows.lowerBound, run.rows.count, columns, pitch, limit, scale)
            }
            dropout?.apply(
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

  /// Adds to or overwrites the derivatives of q, k and v, as each of the flags says.
  ///
  /// - Parameters:
  ///   - dout: The derivative of the result as products read it.
  ///   - delta: δ, [B·T, H].
  ///   - starts: As in `forward`.
  func backward(
    q: HeadRows, k: HeadRows, v: HeadRows, dout: HeadRows, delta: Tensor,
    logSums: UnsafeMutablePointer<Float>, dropout: DropoutMask?, starts: [Int32] = [],
    dq: (rows: HeadRows, adds: Bool), dk: (rows: HeadRows, adds: Bool),
    dv: (rows: HeadRows, adds: Bool), in workspace: Workspace
  ) {
    let blocks = AttentionBlocks(self, starts: starts, type: q.type)
    let area = AttentionBlocks.size * pitch
    workspace.count(operations: 5 * blocks.operations(self))
    forEachPair(in: workspace) { sequence, keyHead, lane in
      // The last block of a whole sequence comes first and covers every key: it is the one that
      // overwrites. No block of several examples or under a window does.
      let isCovered = blocks.isCovered
      for (gradient, adds) in [dk, dv] where !adds && !isCovered {
        clear(gradient, keyHead, sequence)
      }
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
            forEachRun(block, of: p) { run, p, columns, limit in
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
      out: y.headRows(sequences), logSums: logSums.pointer, dropout: dropout, starts: starts,
      in: workspace)
    return y.recorded(from: packed) { dy in
      packed.accumulate { gradient, adds in
        let dout = dy.operand
        withExtendedLifetime(dout) {
          attention.backward(
            q: part(packed.base, type, 0), k: part(packed.base, type, 1),
            v: part(packed.base, type, 2), dout: dout.headRows(sequences),
            delta: attention.delta(dout: dy, out: y), logSums: logSums.pointer,
            dropout: dropout, starts: starts, dq: (part(gradient, .float32, 0), adds),
            dk: (part(gradient, .float32, 1), adds), dv: (part(gradient, .float32, 2), adds),
            in: packed.workspace)
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
  /// - Parameter reach: Which keys of its example a query sees.
  public func attention(
    keys: Tensor, values: Tensor, sequences: Int, heads: Int, keyHeads: Int,
    dropout: DropoutMask? = nil, starts: [Int32] = [], reach: AttentionReach
  ) -> Tensor {
    let q = self
    let dim = columns / max(heads, 1)
    precondition(
      sequences > 0 && columns % heads == 0 && heads % keyHeads == 0
        && keys.columns == keyHeads * dim && values.shape == keys.shape
        && keys.type == type && values.type == type
        && rows % sequences == 0 && keys.rows % sequences == 0
        && (keys.rows >= rows || reach == .full)
        && (starts.isEmpty || starts.count == rows && keys.rows == rows),
      "attention: q \(shape), k \(keys.shape), v \(values.shape), \(sequences) sequences, "
        + "\(heads) heads, \(keyHeads) key heads, \(starts.count) starts")
    let tracked = [q, keys, values].compactMap { $0.variable.map(ObjectIdentifier.init) }
    precondition(
      Set(tracked).count == tracked.count,
      "attention: queries, keys and values gather their derivatives in different places")
    let attention = AttentionShape(
      sequences: sequences, queries: rows / sequences, keys: keys.rows / sequences, heads: heads,
      keyHeads: keyHeads, dim: dim, reach: reach)
    let y = Tensor(uninitialized: [rows, columns], type: type, in: workspace)
    let logSums = Tensor(uninitialized: [sequences, heads, attention.queries], in: workspace)
    attention.forward(
      q: q.headRows(sequences), k: keys.headRows(sequences), v: values.headRows(sequences),
      out: y.headRows(sequences), logSums: logSums.pointer, dropout: dropout, starts: starts,
      in: workspace)
    return y.recorded(from: q, keys, values) { dy in
      q.withGradient { dq, dqAdds in
        keys.withGradient { dk, dkAdds in
          values.withGradient { dv, dvAdds in
            let dout = dy.operand
            withExtendedLifetime(dout) {
              attention.backward(
                q: q.headRows(sequences), k: keys.headRows(sequences),
                v: values.headRows(sequences), dout: dout.headRows(sequences),
                delta: attention.delta(dout: dy, out: y), logSums: logSums.pointer,
                dropout: dropout, starts: starts,
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
