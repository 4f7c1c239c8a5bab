// Attention over the keys and values of earlier positions, as generation computes it.
import CKernels

extension Tensor {
  /// Causal attention of new queries [B·T, H·D] over everything `cache` holds, in which they are
  /// the last T positions of each sequence.
  ///
  /// Sequences of different lengths take one query each.
  ///
  /// - Parameter window: How many keys a query sees, the last ones; nil for all.
  public func causalAttention(
    over cache: KeyValueRows, heads: Int, keyHeads: Int, window: Int? = nil
  ) -> Tensor {
    attention(over: cache, heads: heads, keyHeads: keyHeads, reach: .causal(window: window))
  }

  /// Attention of new queries [B·T, H·D] over everything `cache` holds; see `causalAttention`.
  ///
  /// - Parameters:
  ///   - reach: With a full one the queries are not among the positions of the cache, and see them
  ///     all.
  ///   - scale: Factor of the products of queries and keys; 1/√D when nil.
  ///   - bias: What is added to the scores by the distance of query and key, or nil.
  public func attention(
    over cache: KeyValueRows, heads: Int, keyHeads: Int, reach: AttentionReach,
    scale: Float? = nil, bias: RelativeBias? = nil
  ) -> Tensor {
    precondition(
      rows % cache.sequences == 0 && columns % heads == 0 && heads % keyHeads == 0
        && cache.width == columns / heads * keyHeads,
      "attention of \(shape) over \(cache.sequences) sequences of width \(cache.width)")
    let attention = AttentionShape(
      sequences: cache.sequences, queries: rows / cache.sequences, keys: cache.length,
      heads: heads, keyHeads: keyHeads, dim: columns / heads, reach: reach, scale: scale)
    let y = Tensor(uninitialized: [rows, columns], type: type, in: workspace)
    if attention.queries == 1 {
      attention.forwardOne(self, over: cache, bias: bias, into: y)
      return y
    }
    precondition(
      cache.lengths.allSatisfy { $0 == cache.length },
      "\(attention.queries) queries for sequences of lengths \(cache.lengths)")
    let values = HeadRows(
      base: cache.values.base, type: cache.values.type, pitch: cache.width,
      sequencePitch: cache.capacity * cache.width, owner: cache.values.storage)
    workspace.withScratch(cache.sequences * heads * attention.queries) { logSums in
      attention.forward(
        q: headRows(cache.sequences), k: cache.keyRows.headRows(cache.sequences), v: values,
        out: y.headRows(cache.sequences), logSums: logSums, terms: AttentionTerms(bias: bias),
        in: workspace)
    }
    return y
  }
}

extension AttentionShape {
  /// One query a sequence: no products but sums over the cache, in the order and with the roundings of
  /// `forward` in a batch-invariant workspace.
  fileprivate func forwardOne(
    _ q: Tensor, over cache: KeyValueRows, bias: RelativeBias?, into y: Tensor
  ) {
    let workspace = q.workspace
    let group = heads / keyHeads
    let diagonals = bias?.diagonals(of: self)
    // Rows of the query heads that share a key head.
    let shape = [sequences * keyHeads, group * dim]
    let (q, y) = (q.detached.reshaped(shape), y.reshaped(shape))
    workspace.forEachPart(shape[0], cost: shape[1] * keys) { rows in
      q.reading(rows) { q in
        y.writing(rows) { y in
          workspace.withScratch(pitch) { scores in
            for head in 0..<rows.count * group {
              let (sequence, keyHead) = (rows.lowerBound + head / group)
                .quotientAndRemainder(dividingBy: keyHeads)
              let first = head * dim
              attend(
                q + first, over: cache, sequence, keyHead, scores: scores,
                bias: diagonals?.head(keyHead * group + head % group), into: y + first)
            }
          }
        }
      }
    }
  }

  /// One query of one head.
  ///
  /// - Parameters:
  ///   - scores: Room for all positions.
  ///   - bias: As many numbers as the longest sequence has keys, the last for the newest key.
  private func attend(
    _ q: UnsafePointer<Float>, over cache: KeyValueRows, _ sequence: Int, _ keyHead: Int,
    scores: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>?,
    into y: UnsafeMutablePointer<Float>
  ) {
    let (length, width, group) = (cache.lengths[sequence], cache.width, Int(APUS_KEY_GROUP))
    // A window begins anywhere in a group of keys; scores are computed for whole groups.
    let past = length - min(length, window ?? length)
    let (before, count) = (past % group, length - past)
    let groupPitch = width * group
    let firstKey = cache.firstKey(sequence, keyHead, dim: dim) + past / group * groupPitch
    let values = (sequence * cache.capacity + past) * width + keyHead * dim
    let seen = scores + before
    let softmax = {
      var logSum: Float = 0
      if let bias { apus_attention_bias(seen, bias + keys - count, 1, count, count, scale) }
      apus_attention_softmax(seen, &logSum, 1, count, count, count, bias == nil ? scale : 1)
    }
    guard cache.keys.type == .bfloat16 else {
      apus_key_scores(scores, q, cache.keys.pointer + firstKey, groupPitch, before + count, dim)
      softmax()
      apus_weigh_values(y, seen, cache.values.pointer + values, width, count, dim)
      return
    }
    apus_key_scores_half(scores, q, cache.keys.half + firstKey, groupPitch, before + count, dim)
    softmax()
    apus_round(seen, count)
    apus_weigh_values_half(y, seen, cache.values.half + values, width, count, dim)
  }
}
