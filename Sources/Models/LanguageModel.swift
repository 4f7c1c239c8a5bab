// "The families, one folder each, in reading order."

import Layers
import Tensors

/// A network that predicts the next token.
public protocol LanguageModel {
  /// What the head reads, at every position.
  ///
  /// - Parameters:
  ///   - ids: Sequence after sequence, all of one length.
  ///   - pass: How many sequences there are, and what else the layers need.
  /// - Returns: Shape [ids.count, width].
  func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor

  /// From there to the logits of the next token.
  var head: Linear { get }
}

extension LanguageModel {
  /// Logits of the next token after every position, [ids.count, vocabulary]; see `hidden`.
  public func logits(_ ids: [Int32], _ pass: ForwardPass) -> Tensor {
    head(hidden(ids, pass), precise: true)
  }
}

/// What every family's configuration tells the rest of the program.
public protocol ModelConfiguration: Sendable, Equatable {
  /// Number of token ids.
  var vocabulary: Int { get }
  /// Longest sequence.
  var context: Int { get }
  /// Number of attention layers.
  var layers: Int { get }
  /// Elements of a key (and of a value) of one position in one layer.
  var keyWidth: Int { get }
  /// Hugging Face's `config.json`, keys in alphabetical order.
  var json: [String: ConfigurationValue] { get }

  /// The network with its parameters.
  func build(_ parameters: Parameters) -> any LanguageModel
}

extension ModelConfiguration {
  /// Names, shapes and places of the parameters.
  public var layout: ParameterLayout { ParameterLayout(of: build) }

  /// Empty caches for generating up to `capacity` positions of `sequences` sequences.
  public func caches(sequences: Int, capacity: Int, in workspace: Workspace) -> [KeyValueRows] {
    (0..<layers).map { _ in
      KeyValueRows(sequences: sequences, capacity: capacity, width: keyWidth, in: workspace)
    }
  }

  /// Multiply-adds of the matrix products of one token's forward pass, attention included, at full
  /// context; a training step costs three times as many.
  public var productsPerToken: Double {
    let matrices = layout.entries.filter { $0.shape.count == 2 }
    let names = Set(matrices.map(\.name))
    var total = 0.0
    for entry in matrices where !entry.isEmbedding {
      total += Double(entry.range.count)
    }
    if !names.contains("lm_head.weight") {
      total += Double(matrices.first { $0.isEmbedding }?.range.count ?? 0)
    }
    let queryWidth = Double(matrices.first { $0.isEmbedding }?.shape[1] ?? 0)
    // Half of the T×T scores are computed: causal.
    return total + Double(layers) * Double(context) * queryWidth
  }
}

extension ParameterLayout.Entry {
  var isEmbedding: Bool {
    name.hasSuffix("wte.weight") || name.hasSuffix("wpe.weight")
      || name.hasSuffix("embed_tokens.weight")
  }
}
