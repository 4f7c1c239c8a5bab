// Gemma (Gemma Team 2024) and Gemma 3 (Gemma Team 2025), as Hugging Face's `GemmaModel` and
// `Gemma3TextModel` compute them: token embeddings times √C, rotary positions, RMSNorm with gain
// 1 + weight, GeGLU (tanh form), grouped-query attention with heads of a size of their own. Gemma 3
// also normalises the heads of queries and keys and the results of sublayers, and most of its
// blocks attend only to the last positions, with rotary frequencies of their own.
//
// Legend: B sequences, T positions, C width, H heads, G key heads, D head size.
import Layers
import Tensors

/// The decoder without a head.
package struct Gemma: Backbone {
  package let tokens: Embedding
  let blocks: [GemmaBlock]
  let norm: RMSNorm

  init(_ configuration: GemmaConfiguration, _ parameters: Parameters) {
    let c = configuration
    let model = parameters["model"]
    let rotary = { (settings: RotarySettings) in
      RotaryPositions(
        dim: c.headSize, positions: c.context, base: settings.base, scaling: settings.scaling)
    }
    let (global, local) = (rotary(c.globalRotary), rotary(c.localRotary))
    tokens = Embedding(
      model["embed_tokens"], entries: c.vocabulary, width: c.width, std: c.initialStd,
      scale: Float(Double(c.width).squareRoot()))
    blocks = (0..<c.layers).map {
      GemmaBlock(c, index: $0, rotary: c.isLocal(block: $0) ? local : global, model["layers"][$0])
    }
    norm = c.norm(model["norm"], width: c.width)
  }

  /// [B·T] ids → [B·T, C].
  package func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor {
    let positions = pass.positions(rows: ids.count)
    var x = tokens(ids)  // [B·T, C]
    for block in blocks { x = pass.layer(x) { block($0, positions: positions, pass) } }
    return norm(x)
  }
}

/// x + attention(norm(x)), then x + feed-forward(norm(x)); in Gemma 3 the results of attention and
/// feed-forward are normalised before they are added.
struct GemmaBlock {
  let path: String
  let attentionNorm: RMSNorm
  let attention: RotaryAttention
  let attentionResultNorm: RMSNorm?
  let feedForwardNorm: RMSNorm
  let gate: Linear
  let up: Linear
  let down: Linear
  let feedForwardResultNorm: RMSNorm?

  init(
    _ c: GemmaConfiguration, index: Int, rotary: RotaryPositions, _ parameters: Parameters
  ) {
    path = parameters.path
    let isGemma3 = c.kind == .gemma3
    let norm = { (name: String) in c.norm(parameters[name], width: c.width) }
    let linear = { (name: String, inputs: Int, outputs: Int, std: Float) in
      Linear(parameters["mlp"][name], inputs: inputs, outputs: outputs, bias: false, std: std)
    }
    attentionNorm = norm("input_layernorm")
    attention = RotaryAttention(c, index: index, rotary: rotary, parameters["self_attn"])
    // In Gemma 1 the norm of this name comes before the feed-forward.
    attentionResultNorm = isGemma3 ? norm("post_attention_layernorm") : nil
    feedForwardNorm = norm(isGemma3 ? "pre_feedforward_layernorm" : "post_attention_layernorm")
    gate = linear("gate_proj", c.width, c.hidden, c.initialStd)
    up = linear("up_proj", c.width, c.hidden, c.initialStd)
    down = linear("down_proj", c.hidden, c.width, c.residualStd)
    feedForwardResultNorm = isGemma3 ? norm("post_feedforward_layernorm") : nil
  }

  func callAsFunction(_ input: Tensor, positions: [Int32], _ pass: ForwardPass) -> Tensor {
    let attended = attention(attentionNorm(input), positions: positions, pass)
    let x = input + (attentionResultNorm?(attended, fp32Output: true) ?? attended)
    let normed = feedForwardNorm(x)
    let result = down(gate(normed, pass).geGLU(up(normed, pass)), pass, fp32Output: true)
      .traced(as: "\(path).mlp")
    return (x + (feedForwardResultNorm?(result, fp32Output: true) ?? result)).traced(as: path)
  }
}

extension RotaryAttention {
  /// Local or global; Gemma 3 has norms on heads.
  init(_ c: GemmaConfiguration, index: Int, rotary: RotaryPositions, _ parameters: Parameters) {
    let projection = { (name: String, outputs: Int) in
      Linear(
        parameters[name], inputs: c.width, outputs: outputs, bias: c.hasAttentionBias,
        std: c.initialStd)
    }
    let norm = { (name: String) in c.norm(parameters[name], width: c.headSize) }
    query = projection("q_proj", c.heads * c.headSize)
    key = projection("k_proj", c.keyWidth)
    headNorms = c.kind == .gemma3 ? (norm("q_norm"), norm("k_norm")) : nil
    value = projection("v_proj", c.keyWidth)
    output = Linear(
      parameters["o_proj"], inputs: c.heads * c.headSize, outputs: c.width,
      bias: c.hasAttentionBias, std: c.residualStd)
    path = parameters.path
    (heads, keyHeads) = (c.heads, c.keyHeads)
    reach = .causal(window: c.isLocal(block: index) ? c.window : nil)
    scale = c.scoreScale
    dropout = Dropout(rate: c.dropout, site: index)
    (self.index, self.rotary) = (index, rotary)
  }
}

extension GemmaConfiguration {
  /// Returns an RMSNorm whose gain is 1 + weight, with weights that start at 0.
  func norm(_ parameters: Parameters, width: Int) -> RMSNorm {
    RMSNorm(parameters, width: width, epsilon: epsilon, gain: 0, offset: 1)
  }

  /// Returns true when the block `index` attends only within the window.
  func isLocal(block index: Int) -> Bool { kind == .gemma3 && isLocal[index] }

  /// Factor of the attention scores.
  var scoreScale: Float {
    Float(1 / Double(kind == .gemma ? headSize : scoreDivisor).squareRoot())
  }
}
