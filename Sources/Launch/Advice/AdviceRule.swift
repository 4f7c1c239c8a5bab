/// A recommendation for a number of examples, with its reason; the table is in AdviceRules.swift.
package struct AdviceRule: Sendable {
  /// The starting point of a training.
  package enum Start: String, Sendable, CaseIterable {
    /// A published model, without training.
    case asItIs = "use a model as it is"
    /// A published model, of which LoRA adapters are trained.
    case adapt = "adapt a model with LoRA"
    /// A published model, all weights of which are trained on the examples.
    case fineTune = "fine-tune a model"
    /// A published model that first goes on pretraining on the texts.
    case continuePretraining = "continue pretraining a model"
    /// Random weights.
    case fromScratch = "train a model from scratch"
  }

  package let objective: AdviceQuestion.Objective
  /// The numbers of examples for which the rule holds.
  package let examples: Range<Int>
  package let start: Start
  /// The phase or command of apus, with the keys that matter.
  package let command: String
  package let family: CandidateModel.Family
  /// The most parameters that are worth their time with so many examples.
  package let largest: Int
  /// Passes over the examples.
  package let epochs: Int
  /// One sentence.
  package let reason: String
  package let source: String
}

/// A size in which published models of a family exist.
package struct CandidateModel: Sendable, Equatable {
  /// The families by what they are good at; apus has several of each kind.
  package enum Family: String, Sendable, CaseIterable {
    /// BERT and its relatives.
    case encoder = "encoder (BERT)"
    /// T5.
    case encoderDecoder = "encoder-decoder (T5)"
    /// GPT, Llama, Gemma.
    case decoder = "decoder (Llama, Gemma, GPT-2)"
  }

  package let family: Family
  package let parameters: Int
  /// Published models of about this size.
  package let names: String
}
