// GPT-2 (Radford et al. 2019), as Hugging Face's `GPT2Model` computes it: learned positions,
// LayerNorm before attention and feed-forward, GELU (tanh form), biases everywhere.
//
// Legend: B sequences, T positions, C width. Rows are B·T positions.
import Layers
import Tensors

/// The decoder without a head.
package struct GPT2: Backbone {
  package let tokens: Embedding
  let positions: Embedding
  let embeddingDropout: Dropout
  let blocks: [GPT2Block]
  let norm: LayerNorm

  init(_ configuration: GPT2Configuration, _ parameters: Parameters) {
    let c = configuration
    let transformer = parameters["transformer"]
    tokens = Embedding(
      transformer["wte"], entries: c.vocabulary, width: c.width, std: c.initialStd)
    positions = Embedding(
      transformer["wpe"], entries: c.context, width: c.width, std: 0.01)
    embeddingDropout = Dropout(rate: c.embeddingDropout, site: 0)
    blocks = (0..<c.layers).map { GPT2Block(c, index: $0, transformer["h"][$0]) }
    norm = LayerNorm(transformer["ln_f"], width: c.width, epsilon: c.epsilon)
  }

  /// [B·T] ids → [B·T, C].
  package func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor {
    var x = tokens(ids) + positions(pass.positions(rows: ids.count))  // [B·T, C]
    x = embeddingDropout(x, pass)
    for block in blocks { x = pass.layer(x) { block($0, pass) } }
    return norm(x)
  }
}

/// x + attention(norm(x)), then x + feed-forward(norm(x)).
struct GPT2Block {
  let path: String
  let attentionNorm: LayerNorm
  let attention: GPT2Attention
  let feedForwardNorm: LayerNorm
  let up: Linear
  let down: Linear
  let dropout: Dropout

  init(_ c: GPT2Configuration, index: Int, _ parameters: Parameters) {
    path = parameters.path
    attentionNorm = LayerNorm(parameters["ln_1"], width: c.width, epsilon: c.epsilon)
    attention = GPT2Attention(c, index: index, parameters["attn"])
    feedForwardNorm = LayerNorm(parameters["ln_2"], width: c.width, epsilon: c.epsilon)
    up = Linear(
      parameters["mlp"]["c_fc"], inputs: c.width, outputs: c.hidden, order: .inputsByOutputs,
      bias: true, std: c.initialStd)
    down = Linear(
      parameters["mlp"]["c_proj"], inputs: c.hidden, outputs: c.width, order: .inputsByOutputs,
      bias: true, std: c.residualStd)
    dropout = Dropout(rate: c.dropout, site: 3 * index + 3)
  }

  func callAsFunction(_ input: Tensor, _ pass: ForwardPass) -> Tensor {
    let x = input + attention(attentionNorm(input), pass)
    let inner = up(feedForwardNorm(x), pass).gelu()
    let result = dropout(down(inner, pass, fp32Output: true), pass)
    return (x + result.traced(as: "\(path).mlp")).traced(as: path)
  }
}

/// Multi-head causal self-attention with one packed projection.
struct GPT2Attention {
  let path: String
  let heads: Int
  let index: Int
  let qkv: Linear
  let projection: Linear
  let probabilityDropout: Dropout
  let dropout: Dropout

  init(_ c: GPT2Configuration, index: Int, _ parameters: Parameters) {
    path = parameters.path
    heads = c.heads
    self.index = index
    qkv = Linear(
      parameters["c_attn"], inputs: c.width, outputs: 3 * c.width, order: .inputsByOutputs,
      bias: true, std: c.initialStd)
    projection = Linear(
      parameters["c_proj"], inputs: c.width, outputs: c.width, order: .inputsByOutputs, bias: true,
      std: c.residualStd)
    probabilityDropout = Dropout(rate: c.attentionDropout, site: 3 * index + 1)
    dropout = Dropout(rate: c.dropout, site: 3 * index + 2)
  }

  func callAsFunction(_ x: Tensor, _ pass: ForwardPass) -> Tensor {
    let packed = qkv(x, pass)  // [B·T, 3C]
    let attended: Tensor
    if pass.caches.isEmpty {
      attended = packed.packedCausalAttention(
        sequences: pass.sequences, heads: heads, dropout: probabilityDropout.mask(pass),
        starts: pass.starts)
    } else {
      let width = packed.columns / 3
      let cache = pass.caches[index]
      cache.append(
        keys: packed[columns: width..<2 * width], values: packed[columns: 2 * width..<3 * width])
      attended = packed[columns: 0..<width].attention(
        over: cache, heads: heads, keyHeads: heads)
    }
    return dropout(projection(attended, pass, fp32Output: true), pass).traced(as: path)
  }
}
