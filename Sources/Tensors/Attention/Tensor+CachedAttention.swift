// Attention over a KV cache, for generation.
import CKernels

extension Tensor {
  /// Returns the attention of new queries [B·T, H·D] over all positions of `cache`, of which they are
  /// the last T of each sequence under a causal reach.
  ///
  /// Sequences of different lengths must have one query each.
  ///
  /// - Parameters:
  ///   - reach: The keys that a query attends to. With a full reach the queries are not part of the
  ///     cache and attend to all of its positions.
  ///   - scale: Factor of the scores q·kᵀ; 1/√D when nil.
  ///   - bias: Relative position bias of the scores, or nil.
  package func attention(
    over cache: KVCache, heads: Int, keyHeads: Int,
    reach: AttentionReach = .causal(window: nil), scale: Float? = nil, bias: RelativeBias? = nil
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
      base: cache.values.base, type: cache.values.type, rowStride: cache.width,
      sequenceStride: cache.capacity * cache.width, owner: cache.values.storage)
    AttentionPass(
      attention, AttentionSettings(bias: bias), q: headRows(cache.sequences),
      k: cache.keyRows.headRows(cache.sequences), v: values,
      logSumExps: Tensor(
        uninitialized: [cache.sequences, heads, attention.queries], in: workspace)
    ).forward(into: y.headRows(cache.sequences))
    return y
  }
}

extension AttentionShape {
  /// Computes the attention of one query per sequence by sums over the cache instead of matrix
  /// products, in the order and with the rounding of `forward` in a batch-invariant workspace.
  fileprivate func forwardOne(
    _ q: Tensor, over cache: KVCache, bias: RelativeBias?, into y: Tensor
  ) {
    let workspace = q.workspace
    let group = heads / keyHeads
    let diagonals = bias?.diagonals(of: self)
    // Each row holds the query heads that share a key head.
    let shape = [sequences * keyHeads, group * dim]
    let (q, y) = (q.detached.reshaped(shape), y.reshaped(shape))
    workspace.forEachPart(shape[0], cost: shape[1] * keys) { rows in
      q.reading(rows) { q in
        y.writing(rows) { y in
          workspace.withScratch(rowStride) { scores in
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

  /// Computes the attention of one query of one head.
  ///
  /// - Parameters:
  ///   - scores: Scratch memory for the scores of all positions.
  ///   - bias: One number per key of the longest sequence, the last for the newest key; nil without
  ///     a bias.
  private func attend(
    _ q: UnsafePointer<Float>, over cache: KVCache, _ sequence: Int, _ keyHead: Int,
    scores: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>?,
    into y: UnsafeMutablePointer<Float>
  ) {
    let (length, width, group) = (cache.lengths[sequence], cache.width, Int(APUS_KEY_GROUP))
    // A window may begin inside a group of keys; scores are computed for full groups.
    let past = length - min(length, window ?? length)
    let (before, count) = (past % group, length - past)
    let groupStride = width * group
    let firstKey = cache.firstKey(sequence, keyHead, dim: dim) + past / group * groupStride
    let values = (sequence * cache.capacity + past) * width + keyHead * dim
    let seen = scores + before
    let softmax = {
      var logSumExp: Float = 0
      if let bias { apus_attention_bias(seen, bias + keys - count, 1, count, count, scale) }
      apus_attention_softmax(seen, &logSumExp, 1, count, count, count, bias == nil ? scale : 1)
    }
    guard cache.keys.type == .bfloat16 else {
      apus_key_scores(scores, q, cache.keys.pointer + firstKey, groupStride, before + count, dim)
      softmax()
      apus_weigh_values(y, seen, cache.values.pointer + values, width, count, dim)
      return
    }
    apus_key_scores_bf16(scores, q, cache.keys.bf16 + firstKey, groupStride, before + count, dim)
    softmax()
    apus_round(seen, count)
    apus_weigh_values_bf16(y, seen, cache.values.bf16 + values, width, count, dim)
  }
}
