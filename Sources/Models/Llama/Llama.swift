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
      dim: c.headSize, positions: c.context, base: c.rotary.base, scaling: c.rotary.scaling)
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
  let attention: RotaryAttention
  let feedForwardNorm: RMSNorm
  let gate: Linear
  let up: Linear
  let down: Linear

  init(
    _ c: LlamaConfiguration, index: Int, rotary: RotaryPositions, _ parameters: Parameters
  ) {
    path = parameters.path
    attentionNorm = RMSNorm(parameters["input_layernorm"], width: c.width, epsilon: c.epsilon)
    attention = RotaryAttention(c, index: index, rotary: rotary, parameters["self_attn"])
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

extension RotaryAttention {
  /// Qwen 3 has norms on heads.
  init(_ c: LlamaConfiguration, index: Int, rotary: RotaryPositions, _ parameters: Parameters) {
    let projection = { (name: String, outputs: Int) in
      Linear(
        parameters[name], inputs: c.width, outputs: outputs, bias: c.hasQueryBias,
        std: c.initialStd)
    }
    let norm = { (name: String) in
      RMSNorm(parameters[name], width: c.headSize, epsilon: c.epsilon)
    }
    query = projection("q_proj", c.heads * c.headSize)
    key = projection("k_proj", c.keyWidth)
    value = projection("v_proj", c.keyWidth)
    output = Linear(
      parameters["o_proj"], inputs: c.heads * c.headSize, outputs: c.width, bias: c.hasOutputBias,
      std: c.residualStd)
    headNorms = c.kind.normalisesHeads ? (norm("q_norm"), norm("k_norm")) : nil
    path = parameters.path
    (heads, keyHeads) = (c.heads, c.keyHeads)
    reach = .causal(window: c.window(ofBlock: index))
    scale = nil
    dropout = Dropout(rate: c.dropout, site: index)
    (self.index, self.rotary) = (index, rotary)
  }
}
