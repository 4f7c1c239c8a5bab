// "The families, one folder each, in reading order."

import Layers
import Tensors

/// A network from token ids to hidden states.
public protocol Trunk {
  /// A vector per token; a language model's head may be tied to it.
  var tokens: Embedding { get }

  /// What a head reads, at every position.
  ///
  /// - Parameters:
  ///   - ids: Sequence after sequence, all of one length.
  ///   - pass: How many sequences there are, and what else the layers need.
  /// - Returns: Shape [ids.count, width].
  func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor
}

/// A network that predicts the next token.
public protocol LanguageModel {
  /// What the head reads; see `Trunk.hidden`.
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

/// A trunk with a head over the vocabulary.
struct CausalModel: LanguageModel {
  private let trunk: any Trunk
  let head: Linear

  init(_ configuration: some ModelConfiguration, _ parameters: Parameters) {
    trunk = configuration.trunk(parameters)
    head =
      configuration.tied
      ? Linear(tiedTo: trunk.tokens.weight)
      : Linear(
        parameters["lm_head"], inputs: configuration.width, outputs: configuration.vocabulary,
        bias: false, deviation: configuration.initialDeviation, isHead: true)
  }

  func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor { trunk.hidden(ids, pass) }
}
