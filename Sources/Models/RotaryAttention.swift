import Layers
import Tensors

/// Grouped-query causal self-attention (Ainslie and others 2023) with rotary positions (Su and others
/// 2021).
///
/// B sequences, T positions, H heads, G key heads, D head size. A family builds the layers in an
/// initializer of its own, in the order that its parameters have.
struct RotaryAttention {
  let path: String
  /// The place among the network's attention layers.
  let index: Int
  let heads: Int
  let keyHeads: Int
  let reach: AttentionReach
  /// Factor of the attention scores; 1/√D when nil.
  let scale: Float?
  let rotary: RotaryPositions
  let query: Linear
  let key: Linear
  let value: Linear
  /// RMSNorms on the heads of queries and keys; nil without.
  let headNorms: (query: RMSNorm, key: RMSNorm)?
  let output: Linear
  let dropout: Dropout

  /// [B·T, C] → [B·T, C].
  func callAsFunction(_ x: Tensor, positions: [Int32], _ pass: ForwardPass) -> Tensor {
    // The norms take fp32 inputs, in bf16 precision too.
    let isNormed = headNorms != nil
    var q = query(x, pass, fp32Output: isNormed)  // [B·T, H·D]
    var k = key(x, pass, fp32Output: isNormed)  // [B·T, G·D]
    if let headNorms {
      q = headNorms.query(headsOf: q)
      k = headNorms.key(headsOf: k)
    }
    q = q.rotated(rotary.table, positions: positions)
    k = k.rotated(rotary.table, positions: positions)
    let v = value(x, pass)
    let attended: Tensor
    if pass.caches.isEmpty {
      attended = q.attention(
        keys: k, values: v, sequences: pass.sequences, heads: heads, keyHeads: keyHeads,
        dropout: dropout.mask(pass), starts: pass.starts, reach: reach, scale: scale)
    } else {
      let cache = pass.caches[index]
      cache.append(keys: k, values: v)
      attended = q.attention(
        over: cache, heads: heads, keyHeads: keyHeads, reach: reach, scale: scale)
    }
    return output(attended, pass, fp32Output: true).traced(as: path)
  }
}
