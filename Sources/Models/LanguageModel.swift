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

/// What a language model's head tells at a position.
public enum Prediction: Sendable {
  /// The token after it: such a model writes text.
  case nextToken
  /// The token that was there, where it was masked: such a model reads text in both directions.
  case maskedToken
  /// The token after it in a target that belongs to a source: such a model reads one text and writes
  /// another.
  case target
}

/// A network that tells tokens; which ones is the configuration's `prediction`.
public protocol LanguageModel {
  /// The trunk's result; see `Trunk.hidden`.
  func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor

  /// What the head reads of hidden states, row by row: of a model that writes text, themselves.
  func transform(_ hidden: Tensor, _ pass: ForwardPass) -> Tensor

  /// From there to the logits of the tokens.
  var head: Linear { get }
}

extension LanguageModel {
  /// The hidden states themselves.
  public func transform(_ hidden: Tensor, _ pass: ForwardPass) -> Tensor { hidden }

  /// Logits of the tokens at every position, [ids.count, vocabulary]; see `hidden`.
  public func logits(_ ids: [Int32], _ pass: ForwardPass) -> Tensor {
    head(transform(hidden(ids, pass), pass), precise: true)
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
        bias: false, deviation: configuration.headDeviation, isHead: true)
  }

  func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor { trunk.hidden(ids, pass) }
}
