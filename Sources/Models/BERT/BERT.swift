// BERT (Devlin et al. 2018), as Hugging Face's `BertModel` computes it: learned positions and
// segments, attention in both directions, LayerNorm after attention and feed-forward, GELU.
//
// Legend: B sequences, T positions, C width. Rows are B·T positions.
import Layers
import Tensors

/// The encoder without a head; all tokens belong to the first segment.
package struct BERT: Backbone {
  package let tokens: Embedding
  let positions: Embedding
  let segments: Embedding
  let norm: LayerNorm
  let dropout: Dropout
  let blocks: [BERTBlock]

  init(_ configuration: BERTConfiguration, _ parameters: Parameters) {
    let c = configuration
    let embeddings = parameters["bert"]["embeddings"]
    let table = { (name: String, entries: Int) in
      Embedding(embeddings[name], entries: entries, width: c.width, std: c.initialStd)
    }
    tokens = table("word_embeddings", c.vocabulary)
    positions = table("position_embeddings", c.context)
    segments = table("token_type_embeddings", c.segments)
    norm = LayerNorm(embeddings["LayerNorm"], width: c.width, epsilon: c.epsilon)
    dropout = Dropout(rate: c.dropout, site: 0)
    blocks = (0..<c.layers).map { index in
      BERTBlock(c, index: index, parameters["bert"]["encoder"]["layer"][index])
    }
  }

  /// [B·T] ids → [B·T, C].
  package func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor {
    let first = [Int32](repeating: 0, count: ids.count)
    let sum = tokens(ids) + positions(pass.positions(rows: ids.count)) + segments(first)
    var x = dropout(norm(sum, fp32Output: true), pass)  // [B·T, C]
    for block in blocks { x = pass.layer(x) { block($0, pass) } }
    return x
  }
}

/// norm(x + attention(x)), then norm(x + feed-forward(x)).
struct BERTBlock {
  let path: String
  let attention: BERTAttention
  let attentionNorm: LayerNorm
  let up: Linear
  let activation: GELU
  let down: Linear
  let dropout: Dropout
  let feedForwardNorm: LayerNorm

  init(_ c: BERTConfiguration, index: Int, _ parameters: Parameters) {
    path = parameters.path
    attention = BERTAttention(c, index: index, parameters["attention"])
    attentionNorm = LayerNorm(
      parameters["attention"]["output"]["LayerNorm"], width: c.width, epsilon: c.epsilon)
    up = Linear(
      parameters["intermediate"]["dense"], inputs: c.width, outputs: c.hidden, bias: true,
      std: c.initialStd)
    activation = c.activation
    down = Linear(
      parameters["output"]["dense"], inputs: c.hidden, outputs: c.width, bias: true,
      std: c.initialStd)
    dropout = Dropout(rate: c.dropout, site: 3 * index + 3)
    feedForwardNorm = LayerNorm(
      parameters["output"]["LayerNorm"], width: c.width, epsilon: c.epsilon)
  }

  func callAsFunction(_ input: Tensor, _ pass: ForwardPass) -> Tensor {
    let x = attentionNorm(input + attention(input, pass), fp32Output: true)
      .traced(as: "\(path).attention")
    let inner = up(x, pass).gelu(activation)
    return feedForwardNorm(
      x + dropout(down(inner, pass, fp32Output: true), pass), fp32Output: true
    ).traced(as: path)
  }
}

/// Multi-head self-attention in both directions.
struct BERTAttention {
  let heads: Int
  let query: Linear
  let key: Linear
  let value: Linear
  let output: Linear
  let probabilityDropout: Dropout
  let dropout: Dropout

  init(_ c: BERTConfiguration, index: Int, _ parameters: Parameters) {
    heads = c.heads
    let linear = { (parameters: Parameters) in
      Linear(
        parameters, inputs: c.width, outputs: c.width, bias: true, std: c.initialStd)
    }
    query = linear(parameters["self"]["query"])
    key = linear(parameters["self"]["key"])
    value = linear(parameters["self"]["value"])
    output = linear(parameters["output"]["dense"])
    probabilityDropout = Dropout(rate: c.attentionDropout, site: 3 * index + 1)
    dropout = Dropout(rate: c.dropout, site: 3 * index + 2)
  }

  func callAsFunction(_ input: Tensor, _ pass: ForwardPass) -> Tensor {
    let x = input.rounded
    let attended = query(x, pass).attention(
      keys: key(x, pass), values: value(x, pass), sequences: pass.sequences, heads: heads,
      keyHeads: heads, dropout: probabilityDropout.mask(pass), starts: pass.starts, reach: .full)
    return dropout(output(attended, pass, fp32Output: true), pass)
  }
}
