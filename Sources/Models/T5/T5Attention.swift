// The self-attention and cross-attention of T5; for the legend see T5.swift.
import Layers
import Tensors

/// The query, key, value and output projections of an attention.
struct T5Projections {
  let query: Linear
  let key: Linear
  let value: Linear
  /// The table of relative position biases, [buckets, H]; only in the first block of a stack.
  let table: Tensor?
  let output: Linear
  let path: String

  init(_ c: T5Configuration, hasTable: Bool = false, _ parameters: Parameters) {
    path = parameters.path
    let inner = c.keyWidth
    // T5 does not scale attention scores; the usual factor 1/√D is in the initial query weights.
    let width = Float(c.width).squareRoot()
    let projection = { (name: String, std: Float) in
      Linear(
        parameters[name], inputs: c.width, outputs: inner, bias: false,
        std: c.initialFactor * std)
    }
    query = projection("q", 1 / (width * Float(c.headSize).squareRoot()))
    key = projection("k", 1 / width)
    value = projection("v", 1 / width)
    table =
      hasTable
      ? parameters["relative_attention_bias"].tensor(
        "weight", [c.buckets, c.heads], .normal(std: c.initialStd), decays: true)
      : nil
    output = Linear(
      parameters["o"], inputs: inner, outputs: c.width, bias: false,
      std: c.initialFactor / Float(inner).squareRoot())
  }
}

/// x + dropout(attention(norm(x))): bidirectional in the encoder, causal in the decoder.
struct T5SelfAttention {
  let path: String
  let heads: Int
  let index: Int
  let reach: AttentionReach
  let norm: RMSNorm
  let projections: T5Projections
  let dropouts: (probabilities: Dropout, result: Dropout)

  init(
    _ c: T5Configuration, index: Int, isDecoder: Bool, site: Int, _ parameters: Parameters
  ) {
    path = parameters.path
    heads = c.heads
    self.index = index
    reach = isDecoder ? .causal(window: nil) : .full
    norm = T5.norm(c, parameters)
    projections = T5Projections(c, hasTable: index == 0, parameters["SelfAttention"])
    dropouts = (
      Dropout(rate: c.dropout, site: site), Dropout(rate: c.dropout, site: site + 1)
    )
  }

  /// - Parameter lengths: Number of positions of every sequence without its padding; empty when
  ///   there is no padding.
  func callAsFunction(
    _ x: Tensor, bias: RelativeBias, lengths: [Int32] = [], _ pass: ForwardPass
  ) -> Tensor {
    let normed = norm(x)
    let q = projections.query(normed, pass)  // [B·T, H·D]
    let k = projections.key(normed, pass)
    let v = projections.value(normed, pass)
    let attended: Tensor
    if reach == .full || pass.caches.isEmpty {
      attended = q.attention(
        keys: k, values: v, sequences: pass.sequences, heads: heads, keyHeads: heads,
        dropout: dropouts.probabilities.mask(pass), reach: reach, keyLengths: lengths, scale: 1,
        bias: bias)
    } else {
      let cache = pass.caches[index]
      cache.append(keys: k, values: v)
      attended = q.attention(
        over: cache, heads: heads, keyHeads: heads, reach: reach, scale: 1, bias: bias)
    }
    let result = projections.output(attended, pass, fp32Output: true)
      .traced(as: projections.path)
    return (x + dropouts.result(result, pass)).traced(as: path)
  }
}

/// x + dropout(attention(norm(x))) over the encoder's output.
struct T5CrossAttention {
  let path: String
  let heads: Int
  let index: Int
  let norm: RMSNorm
  let projections: T5Projections
  let dropouts: (probabilities: Dropout, result: Dropout)

  init(_ c: T5Configuration, index: Int, site: Int, _ parameters: Parameters) {
    path = parameters.path
    heads = c.heads
    self.index = index
    norm = T5.norm(c, parameters)
    projections = T5Projections(c, parameters["EncDecAttention"])
    dropouts = (
      Dropout(rate: c.dropout, site: site), Dropout(rate: c.dropout, site: site + 1)
    )
  }

  /// - Parameter memory: The encoder's output; nil when the pass's caches hold its keys and values.
  func callAsFunction(_ x: Tensor, memory: T5Memory?, _ pass: ForwardPass) -> Tensor {
    let q = projections.query(norm(x), pass)  // [B·T, H·D]
    let kv = memory.map {
      (k: projections.key($0.states, pass), v: projections.value($0.states, pass))  // [B·S, H·D]
    }
    let attended: Tensor
    if let memory, let kv, pass.caches.isEmpty {
      attended = q.attention(
        keys: kv.k, values: kv.v, sequences: pass.sequences, heads: heads, keyHeads: heads,
        dropout: dropouts.probabilities.mask(pass), reach: .full, keyLengths: memory.lengths,
        scale: 1)
    } else {
      // The caches of the cross-attentions follow those of the self-attentions.
      let cache = pass.caches[pass.caches.count / 2 + index]
      if let kv {
        precondition(memory?.lengths.isEmpty ?? true, "padded encoder inputs are not cached")
        cache.append(keys: kv.k, values: kv.v)
      }
      attended = q.attention(over: cache, heads: heads, keyHeads: heads, reach: .full, scale: 1)
    }
    let result = projections.output(attended, pass, fp32Output: true)
      .traced(as: projections.path)
    return (x + dropouts.result(result, pass)).traced(as: path)
  }
}
