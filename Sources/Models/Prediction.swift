/// The training objective of a language model: the token that its head predicts at a position.
package enum Prediction: Sendable {
  /// A causal language model: predicts the next token.
  case causal
  /// A masked language model: predicts the original token at masked positions, from both sides.
  case masked
  /// A sequence-to-sequence model (encoder–decoder): predicts the next token of the decoder input,
  /// given the encoder input.
  case sequenceToSequence

  /// The kind of the model, for messages.
  package var modelKind: String {
    switch self {
    case .causal: "a causal language model"
    case .masked: "a masked language model"
    case .sequenceToSequence: "an encoder–decoder"
    }
  }

  /// PEFT's name of the task; nil when PEFT has none.
  var adapterTask: String? {
    switch self {
    case .causal: "CAUSAL_LM"
    case .masked: nil
    case .sequenceToSequence: "SEQ_2_SEQ_LM"
    }
  }

  /// True when the model generates text.
  package var generatesText: Bool { self != .masked }

  /// True when every token attends to the tokens on both sides, so that the first one can stand for
  /// the whole sequence.
  package var isBidirectional: Bool { self == .masked }
}
