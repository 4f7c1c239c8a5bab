import Datasets
import Layers
import Models
import Objectives
import Tensors

extension Batch {
  /// The encoder input of the batch; nil for models without an encoder.
  package var encoderInput: EncoderInput? {
    sources.isEmpty ? nil : EncoderInput(ids: sources, lengths: sourceLengths)
  }

  /// The sum of the weights.
  package var weight: Double { weights.reduce(0) { $0 + Double($1) } }

  /// The number of tokens of encoder and decoder inputs that are not padding.
  package var tokens: Int {
    if !examples.isEmpty { return examples.reduce(0) { $0 + $1.count } }
    if sources.isEmpty { return inputs.count }
    // The decoder has an input for every target; padded targets have weight 0.
    return sourceLengths.reduce(0) { $0 + Int($1) } + weights.count { $0 != 0 }
  }

  /// Returns the forward pass over the batch: of training as `microBatch`, or of an evaluation.
  package func pass(_ microBatch: MicroBatch? = nil) -> ForwardPass {
    pass(dropout: microBatch?.dropout, recomputation: microBatch?.recomputation ?? .none)
  }

  /// Returns the forward pass over the batch as `microBatch`, with dropout in LoRA adapters alone, or
  /// of an evaluation.
  ///
  /// Scores and preferences compare two answers: the model's own dropout would add noise to their
  /// difference, and is disabled in TRL's DPO, KTO and reward trainers, too.
  package func comparingPass(_ microBatch: MicroBatch?) -> ForwardPass {
    pass(
      dropout: microBatch?.dropout.ofAdapters, recomputation: microBatch?.recomputation ?? .none)
  }

  /// Returns the forward pass over the batch with the given settings.
  package func pass(
    dropout: DropoutSource? = nil, recomputation: Recomputation
  ) -> ForwardPass {
    ForwardPass(
      sequences: sequences, dropout: dropout, recomputation: recomputation, starts: starts,
      encoderInput: encoderInput)
  }
}

extension LanguageModel {
  /// Returns the losses of the targets of `batch` with a weight other than 0, in their order.
  package func tokenLosses(_ batch: Batch, _ pass: ForwardPass) -> Tensor {
    tokenLosses(hidden: hidden(batch.inputs, pass), batch, pass)
  }

  /// Returns the losses, given the hidden states that the model computed for `batch`.
  package func tokenLosses(hidden: Tensor, _ batch: Batch, _ pass: ForwardPass) -> Tensor {
    TokenLoss.losses(
      hidden: hidden, head: head.weight, bias: head.bias, targets: batch.targets,
      weights: batch.weights
    ) { transform($0, pass) }
  }
}
