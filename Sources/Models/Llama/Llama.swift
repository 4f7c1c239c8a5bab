// Llama (Touvron et al. 2023), as Hugging Face's `LlamaModel` computes it: rotary positions,
// RMSNorm before attention and feed-forward, SwiGLU, grouped-query attention. Its relatives
// Mistral, Qwen 2 and Qwen 3 differ by a sliding window, by biases, and by norms on the heads of
// queries and keys.
//
// Legend: B sequences, T positions, C width, H heads, G key heads, D head size.
import Layers
import Tensors

/// The decoder without a head.
package struct Llama: Backbone {
  package let tokens: Embedding
  let blocks: [LlamaBlock]
  let norm: RMSNorm

  init(_ configuration: LlamaConfiguration, _ parameters: Parameters) {
    let c = configuration
    let model = parameters["model"]
    let rotary = RotaryPositions(
      dim: c.headSize, positions: c.context, base: c.ropeBase, scaling: c.ropeScaling)
    tokens = Embedding(
      model["embed_tokens"], entries: c.vocabulary, width: c.width, std: c.initialStd)
    blocks = (0..<c.layers).map {
      LlamaBlock(c, index: $0, rotary: rotary, model["layers"][$0])
    }
    norm = RMSNorm(model["norm"], width: c.width, epsilon: c.epsilon)
  }

  /// [B·T] ids → [B·T, C].
  package func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor {
    let positions = pass.positions(rows: ids.count)
    var x = tokens(ids)  // [B·T, C]
    for block in blocks { x = pass.layer(x) { block($0, positions: positions, pass) } }
    return norm(x)
  }
}

/// x + attention(norm(x)), then x + feed-forward(norm(x)).
struct LlamaBlock {
  let path: String
  let attentionNorm: RMSNorm
  let attention: LlamaAttention
  let feedForwardNorm: RMSNorm
  let gate: Linear
  let up: Linear
  let down: Linear

  init(
    _ c: LlamaConfiguration, index: Int, rotary: RotaryPositions, _ parameters: Parameters
  ) {
    path = parameters.path
    attentionNorm = RMSNorm(parameters["input_layernorm"], width: c.width, epsilon: c.epsilon)
    attention = LlamaAttention(c, index: index, rotary: rotary, parameters["self_attn"])
    feedForwardNorm = RMSNorm(
      parameters["post_attention_layernorm"], width: c.width, epsilon: c.epsilon)
    let linear = { (name: String, inputs: Int, outputs: Int, std: Float) in
      Linear(
        parameters["mlp"][name], inputs: inputs, outputs: outputs, bias: c.hasFeedForwardBias,
        std: std)
    }
    gate = linear("gate_proj", c.width, c.hidden, c.initialStd)
    up = linear("up_proj", c.width, c.hidden, c.initialStd)
    down = linear("down_proj", c.hidden, c.width, c.residualStd)
  }

  func callAsFunction(_ input: Tensor, positions: [Int32], _ pass: ForwardPass) -> Tensor {
    let x = input + attention(attentionNorm(input), positions: positions, pass)
    let normed = feedForwardNorm(x)
    let result = down(gate(normed, pass).swiGLU(up(normed, pass)), pass, fp32Output: true)
    return (x + result.traced(as: "\(path).mlp")).traced(as: path)
  }
}

/// Grouped-query causal self-attention with rotary positions.
struct LlamaAttention {
  let path: String
  let heads: Int
  let keyHeads: Int
  /// Number of positions that a query attends to, its own included; nil for all earlier ones.
  let window: Int?
  let index: Int
  let rotary: RotaryPositions
  let query: Linear
  let key: Linear
  let value: Linear
  /// RMSNorms on the heads of queries and keys (Qwen 3); nil without.
  let headNorms: (query: RMSNorm, key: RMSNorm)?
  let output: Linear
  let dropout: Dropout

  init(
    _ c: LlamaConfiguration, index: Int, rotary: RotaryPositions, _ parameters: Parameters
  ) {
    path = parameters.path
    heads = c.heads
    keyHeads = c.keyHeads
    window = index >= c.firstWindowed ? c.window : nil
    self.index = index
    self.rotary = rotary
    let projection = { (name: String, outputs: Int) in
      Linear(
        parameters[name], inputs: c.width, outputs: outputs, bias: c.hasQueryBias,
        std: c.initialStd)
    }
    query = projection("q_proj", heads * c.headSize)
    key = projection("k_proj", c.keyWidth)
    value = projection("v_proj", c.keyWidth)
    output = Linear(
      parameters["o_proj"], inputs: heads * c.headSize, outputs: c.width, bias: c.hasOutputBias,
      std: c.residualStd)
    let norm = { (name: String) in
      RMSNorm(parameters[name], width: c.headSize, epsilon: c.epsilon)
    }
    headNorms = c.kind.normalisesHeads ? (norm("q_norm"), norm("k_norm")) : nil
    dropout = Dropout(rate: c.dropout, site: index)
  }

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
    guard !pass.caches.isEmpty else {
      return output(
        q.attention(
          keys: k, values: v, sequences: pass.sequences, heads: heads, keyHeads: keyHeads,
          dropout: dropout.mask(pass), starts: pass.starts, reach: .causal(window: window)), pass,
        fp32Output: true
      ).traced(as: path)
    }
    let cache = pass.caches[index]
    cache.append(keys: k, values: v)
    return output(
      q.attention(over: cache, heads: heads, keyHeads: keyHeads, reach: .causal(window: window)),
      pass,
      fp32Output: true)
  }
}

extension LlamaConfiguration {
  /// Standard deviation of the initial projections into the residual stream, scaled down by the
  /// square root of their number.
  var residualStd: Float { initialStd / Float(2 * layers).squareRoot() }
}
