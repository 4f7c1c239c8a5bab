import Layers
import Tensors

/// The backbone (base model) of a network: computes hidden states from token ids.
package protocol Backbone {
  /// The token embedding; a language model's head may be tied to it.
  var tokens: Embedding { get }

  /// Returns the hidden states, the input of a head, at every position.
  ///
  /// - Parameters:
  ///   - ids: Token ids, sequence after sequence, all of one length.
  ///   - pass: The number of sequences, and the settings of the layers.
  /// - Returns: Shape [ids.count, width].
  func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor
}

/// A language model: a network with a head over tokens; see `ModelConfiguration.prediction`.
package protocol LanguageModel {
  /// Returns the hidden states; see `Backbone.hidden`.
  func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor

  /// Transforms hidden states row by row into the input of the head; the identity by default.
  func transform(_ hidden: Tensor, _ pass: ForwardPass) -> Tensor

  /// The linear layer from transformed hidden states to logits.
  var head: Linear { get }
}

extension LanguageModel {
  package func transform(_ hidden: Tensor, _ pass: ForwardPass) -> Tensor { hidden }

  /// Returns the logits at every position, [ids.count, vocabulary], in fp32; see `hidden`.
  package func logits(_ ids: [Int32], _ pass: ForwardPass) -> Tensor {
    head(transform(hidden(ids, pass), pass), fp32Output: true)
  }
}

/// A backbone with a head over the vocabulary, for causal and sequence-to-sequence models.
struct CausalModel: LanguageModel {
  private let backbone: any Backbone
  let head: Linear

  init(_ configuration: some ModelConfiguration, _ parameters: Parameters) {
    backbone = configuration.backbone(parameters)
    head =
      configuration.tied
      ? Linear(tiedTo: backbone.tokens.weight, as: parameters["lm_head"])
      : Linear(
        parameters["lm_head"], inputs: configuration.width, outputs: configuration.vocabulary,
        bias: false, std: configuration.headStd, isHead: true)
  }

  func hidden(_ ids: [Int32], _ pass: ForwardPass) -> Tensor { backbone.hidden(ids, pass) }
}
