// T5 (Raffel et al. 2020) and T5 1.1 (Shazeer 2020), as Hugging Face's `T5Model` computes them: an
// encoder for the encoder input (source), and a decoder for the decoder input (target), which
// attends to the encoder's output. RMSNorm before each sublayer, no biases, unscaled attention
// scores; positions enter only as relative biases of these scores, from one table per stack.
//
// Legend: B sequences, S source positions, T target positions, C width, H heads, D head size.
import Layers
import Tensors

/// Encoder and decoder without a head.
package struct T5: Backbone {
  /// The token embedding, shared by encoder and decoder.
  package let tokens: Embedding
  let encoder: T5Stack
  let decoder: T5Stack

  init(_ configuration: T5Configuration, _ parameters: Parameters) {
    let c = configuration
    tokens = Embedding(
      parameters["shared"], entries: c.vocabulary, width: c.width, std: c.initialFactor)
    tokens.weight.markShared()
    encoder = T5Stack(c, isDecoder: false, parameters["encoder"])
    decoder = T5Stack(c, isDecoder: true, parameters["decoder"])
  }

  /// Returns the decoder's hidden states, [B·T, C], for its [B·T] ids and the pass's encoder input.
  ///
  /// A pass whose caches hold the keys and values of the encoder's output needs no encoder input.
  package func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor {
    precondition(
      pass.encoderInput != nil || pass.caches.last.map { $0.length > 0 } ?? false,
      "a decoder without an encoder input and without cached encoder output")
    let memory = pass.encoderInput.map {
      T5Memory(states: encoded($0, pass), lengths: $0.keyLengths)
    }
    let embedded = tokens(ids).traced(as: "decoder.embed_tokens")
    return decoder(embedded, memory: memory, pass)
  }

  /// Returns the encoder's hidden states, [B·S, C].
  package func encoded(_ source: EncoderInput, _ pass: ForwardPass) -> Tensor {
    let embedded = tokens(source.ids).traced(as: "encoder.embed_tokens")
    return encoder(embedded, lengths: source.keyLengths, pass)
  }
}

/// The encoder output that cross-attention reads (PyTorch calls it memory).
struct T5Memory {
  /// [B·S, C].
  let states: Tensor
  /// Number of states of every sequence without its padding, [B]; empty when there is no padding.
  let lengths: [Int32]
}

/// The encoder or the decoder: dropout, blocks, a final norm, dropout.
struct T5Stack {
  let blocks: [T5Block]
  let norm: RMSNorm
  let bias: RelativeBias
  let dropouts: (first: Dropout, last: Dropout)

  init(_ c: T5Configuration, isDecoder: Bool, _ parameters: Parameters) {
    // The dropouts of the decoder are numbered after the encoder's.
    let site = isDecoder ? 2 + T5Block.sites * c.layers : 0
    dropouts = (
      Dropout(rate: c.dropout, site: site), Dropout(rate: c.dropout, site: site + 1)
    )
    let count = isDecoder ? c.decoderLayers : c.layers
    blocks = (0..<count).map { index in
      T5Block(
        c, index: index, isDecoder: isDecoder, site: site + 2 + T5Block.sites * index,
        parameters["block"][index])
    }
    // All blocks of a stack share the table of the first block.
    guard let table = blocks.first?.attention.projections.table else {
      preconditionFailure("a stack without blocks")
    }
    table.markShared()
    bias = RelativeBias(
      table,
      buckets: RelativeBuckets(
        count: c.buckets, maximumDistance: c.maximumDistance, isBidirectional: !isDecoder))
    norm = RMSNorm(
      parameters["final_layer_norm"], width: c.width, epsilon: c.epsilon, gain: c.initialFactor,
      scale: isDecoder ? c.outputScale : 1)
  }

  /// Runs the encoder: [B·S, C] embeddings → [B·S, C].
  func callAsFunction(_ embeddings: Tensor, lengths: [Int32], _ pass: ForwardPass) -> Tensor {
    run(embeddings, pass) { x, block in
      block.feedForward(block.attention(x, bias: bias, lengths: lengths, pass), pass)
    }
  }

  /// Runs the decoder: [B·T, C] embeddings → [B·T, C].
  func callAsFunction(_ embeddings: Tensor, memory: T5Memory?, _ pass: ForwardPass) -> Tensor {
    run(embeddings, pass) { x, block in
      let x = block.attention(x, bias: bias, pass)
      return block.feedForward(block.crossAttention?(x, memory: memory, pass) ?? x, pass)
    }
  }

  private func run(
    _ embeddings: Tensor, _ pass: ForwardPass, _ body: @escaping (Tensor, T5Block) -> Tensor
  ) -> Tensor {
    var x = dropouts.first(embeddings, pass)
    for block in blocks { x = pass.layer(x) { body($0, block).traced(as: block.path) } }
    return dropouts.last(norm(x), pass)
  }
}

/// A block: self-attention, cross-attention in the decoder, and feed-forward.
struct T5Block {
  /// The number of dropout sites reserved per block.
  static let sites = 6

  let path: String
  let attention: T5SelfAttention
  let crossAttention: T5CrossAttention?
  let feedForward: T5FeedForward

  init(_ c: T5Configuration, index: Int, isDecoder: Bool, site: Int, _ parameters: Parameters) {
    path = parameters.path
    let layer = parameters["layer"]
    attention = T5SelfAttention(c, index: index, isDecoder: isDecoder, site: site, layer[0])
    crossAttention =
      isDecoder ? T5CrossAttention(c, index: index, site: site + 2, layer[1]) : nil
    feedForward = T5FeedForward(c, site: site + 4, layer[isDecoder ? 2 : 1])
  }
}

/// x + dropout(down(dropout(activation(up(norm(x)))))).
struct T5FeedForward {
  let path: String
  let norm: RMSNorm
  /// The gate of T5 1.1; nil for T5 1.0.
  let gate: Linear?
  let up: Linear
  let down: Linear
  let dropouts: (inner: Dropout, outer: Dropout)

  init(_ c: T5Configuration, site: Int, _ parameters: Parameters) {
    path = parameters.path
    let inner = parameters["DenseReluDense"]
    let linear = { (name: String, inputs: Int, outputs: Int) in
      Linear(
        inner[name], inputs: inputs, outputs: outputs, bias: false,
        std: c.initialFactor / Float(inputs).squareRoot())
    }
    norm = T5.norm(c, parameters)
    gate = c.isGated ? linear("wi_0", c.width, c.hidden) : nil
    up = linear(c.isGated ? "wi_1" : "wi", c.width, c.hidden)
    down = linear("wo", c.hidden, c.width)
    dropouts = (
      Dropout(rate: c.dropout, site: site), Dropout(rate: c.dropout, site: site + 1)
    )
  }

  func callAsFunction(_ x: Tensor, _ pass: ForwardPass) -> Tensor {
    let normed = norm(x)
    let hidden =
      gate.map { $0(normed, pass).geGLU(up(normed, pass)) } ?? up(normed, pass).relu()
    let result = down(dropouts.inner(hidden, pass), pass, fp32Output: true)
      .traced(as: "\(path).DenseReluDense")
    return (x + dropouts.outer(result, pass)).traced(as: path)
  }
}

extension T5 {
  /// The norm before a sublayer, or at the start of one.
  static func norm(_ c: T5Configuration, _ parameters: Parameters) -> RMSNorm {
    RMSNorm(
      parameters["layer_norm"], width: c.width, epsilon: c.epsilon, gain: c.initialFactor)
  }
}
