import Layers
import Models
import Tensors

/// The input of a language model with the target of every position.
package struct LabelledBatch {
  /// The token ids; of an encoder–decoder, those of the decoder input.
  package let ids: [Int32]
  package let pass: ForwardPass
  /// One target per id.
  package let targets: [Int32]
  /// The weight of every target in the loss.
  package let weights: [Float]

  package init(ids: [Int32], pass: ForwardPass, targets: [Int32], weights: [Float]) {
    self.ids = ids
    self.pass = pass
    self.targets = targets
    self.weights = weights
  }

  /// The batch of one sequence whose labels are its own ids, as in Hugging Face's
  /// `model(input_ids=ids, labels=ids)`.
  ///
  /// A causal model predicts the next token of every position but the last. A masked model predicts
  /// the token of every position. An encoder–decoder reads the ids and predicts the same ids.
  package init(labelledByItself ids: [Int32], for configuration: any ModelConfiguration) {
    var weights = [Float](repeating: 1, count: ids.count)
    switch configuration.prediction {
    case .causal:
      weights[ids.count - 1] = 0
      self.init(
        ids: ids, pass: ForwardPass(sequences: 1), targets: ids.dropFirst() + [0],
        weights: weights)
    case .masked:
      self.init(ids: ids, pass: ForwardPass(sequences: 1), targets: ids, weights: weights)
    case .sequenceToSequence:
      let source = EncoderInput(ids: ids, lengths: [Int32(ids.count)])
      self.init(
        ids: [Int32(configuration.start ?? 0)] + ids.dropLast(),
        pass: ForwardPass(sequences: 1, encoderInput: source), targets: ids, weights: weights)
    }
  }

  /// True when the loss has a target.
  package var hasTarget: Bool { weights.contains { $0 != 0 } }

  /// Returns Σ weight·loss ÷ Σ weight; the logits must not be read again.
  func loss(ofLogits logits: Tensor) -> Tensor {
    logits.crossEntropyConsumingLogits(targets: targets, weights: weights).sum()
      * (1 / weights.reduce(0, +))
  }
}
