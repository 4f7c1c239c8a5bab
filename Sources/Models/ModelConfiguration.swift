import Layers
import Tensors

/// A network with the keys that a Hugging Face folder says of it.
public protocol NetworkConfiguration: Sendable, Equatable {
  /// What is built.
  associatedtype Network

  /// The language model whose trunk it has.
  var model: any ModelConfiguration { get }

  /// Hugging Face's `config.json`, keys in alphabetical order.
  var json: [String: ConfigurationValue] { get }

  /// The network with its parameters.
  func build(_ parameters: Parameters) -> Network

  /// What `network` says of a text that is always the same, so that two copies can be compared.
  func trial(of network: Network) -> [Float]
}

extension NetworkConfiguration {
  /// Names, shapes and places of the parameters.
  public var layout: ParameterLayout { ParameterLayout(of: build) }

  /// The layouts of what stays and of what is trained under `lora`.
  ///
  /// - Throws: When a pattern of `lora` stands for nothing in the network.
  public func layout(_ lora: LoRA) throws(LoRAError) -> AdaptedLayout {
    try AdaptedLayout(of: build, lora: lora)
  }
}

/// What every family's configuration tells the rest of the program.
public protocol ModelConfiguration: NetworkConfiguration where Network == any LanguageModel {
  /// Number of token ids.
  var vocabulary: Int { get }
  /// Longest sequence.
  var context: Int { get }
  /// Number of attention layers.
  var layers: Int { get }
  /// Size of the residual stream, which heads read.
  var width: Int { get }
  /// Elements of a key (and of a value) of one position in one layer.
  var keyWidth: Int { get }
  /// Whether the language model's head is the token embedding.
  var tied: Bool { get }
  /// Standard deviation of the first weights.
  var initialDeviation: Float { get }
  /// Share dropped.
  var dropout: Float { get }
  /// The id that fills the ends of shorter texts; nil where the end of text does.
  var padding: Int? { get }
  /// What the head tells at a position.
  var prediction: Prediction { get }
  /// The id that a target begins after; nil where there are no targets.
  var start: Int? { get }
  /// Standard deviation of the first weights of a head of its own.
  var headDeviation: Float { get }

  /// The network below its head.
  func trunk(_ parameters: Parameters) -> any Trunk

  /// What makes one vector of a text, of its first token; nil where heads read the last token.
  func pooler(_ parameters: Parameters) -> Pooler?

  /// Empty caches for generating up to `capacity` positions of `sequences` sequences, in targets of
  /// sources of up to `source` positions.
  func caches(sequences: Int, capacity: Int, source: Int, in workspace: Workspace)
    -> [KeyValueRows]
}

extension ModelConfiguration {
  /// Itself.
  public var model: any ModelConfiguration { self }

  /// The end of text does.
  public var padding: Int? { nil }

  /// The next token.
  public var prediction: Prediction { .nextToken }

  /// None: a decoder's last token has seen the whole text.
  public func pooler(_ parameters: Parameters) -> Pooler? { nil }

  /// That of the other weights.
  public var headDeviation: Float { initialDeviation }

  /// The language model.
  public func build(_ parameters: Parameters) -> any LanguageModel {
    CausalModel(self, parameters)
  }

  /// There are none.
  public var start: Int? { nil }

  /// One for each attention layer; there are no sources.
  public func caches(sequences: Int, capacity: Int, source: Int, in workspace: Workspace)
    -> [KeyValueRows]
  {
    (0..<layers).map { _ in
      KeyValueRows(sequences: sequences, capacity: capacity, width: keyWidth, in: workspace)
    }
  }

  /// Multiply-adds of the matrix products of one token's forward pass, attention included, at full
  /// context; a training step costs three times as many.
  ///
  /// Of masked tokens, BERT's share is taken; a token of a source or a target goes through one of two
  /// stacks, and both are taken for equal.
  public var productsPerToken: Double {
    let isCausal = prediction == .nextToken
    let matrices = layout.entries.filter { $0.shape.count == 2 }
    let names = Set(matrices.map(\.name))
    var total = 0.0
    for entry in matrices where !entry.isEmbedding {
      total += Double(entry.range.count)
    }
    if !names.contains("lm_head.weight") {
      let head = Double(matrices.first { $0.isEmbedding }?.range.count ?? 0)
      total += prediction == .maskedToken ? 0.15 * head : head
    }
    if prediction == .target { total /= 2 }
    let queryWidth = Double(matrices.first { $0.isEmbedding }?.shape[1] ?? 0)
    // Of a causal model half of the T×T scores are computed.
    return total + Double(layers) * Double(context) * queryWidth * (isCausal ? 1 : 2)
  }
}

extension ParameterLayout.Entry {
  /// Whether these are vectors of tokens or positions.
  public var isEmbedding: Bool {
    name.hasSuffix("_embeddings.weight") || name.hasSuffix("wte.weight")
      || name.hasSuffix("wpe.weight") || name.hasSuffix("embed_tokens.weight")
      || name == "shared.weight"
  }
}
