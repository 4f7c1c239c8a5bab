// What a network says of a text that is always the same: where two networks agree on it to the last
// bit, they are one.

import Layers
import Tensors

extension ModelConfiguration {
  /// The ids of that text: from the first to the last of the vocabulary in even steps, at most 64,
  /// and no more than the model sees.
  var trialText: [Int32] {
    let count = min(64, context)
    return (0..<count).map { Int32($0 * (vocabulary - 1) / max(1, count - 1)) }
  }

  /// Logits at every position; of an encoder–decoder, of the text as source and target.
  public func trial(of network: any LanguageModel) -> [Float] {
    let text = trialText
    let source = Source(ids: text, lengths: [Int32(text.count)])
    return network.logits(
      text, ForwardPass(sequences: 1, source: prediction == .target ? source : nil)
    ).values
  }
}

extension SequenceScorerConfiguration {
  /// Its scores.
  public func trial(of network: SequenceScorer) -> [Float] {
    network(model.trialText, lengths: [], ForwardPass(sequences: 1)).values
  }
}

extension TokenTaggerConfiguration {
  /// Logits of the classes at every position.
  public func trial(of network: TokenTagger) -> [Float] {
    network.logits(model.trialText, ForwardPass(sequences: 1)).values
  }
}

extension ValuedModelConfiguration {
  /// Values at every position.
  public func trial(of network: ValuedModel) -> [Float] {
    network.values(network.hidden(model.trialText, ForwardPass(sequences: 1))).values
  }
}

extension TextEncoderConfiguration {
  /// The vector of the text.
  public func trial(of network: TextEncoder) -> [Float] {
    let text = model.trialText
    return network.mean(text, lengths: [Int32(text.count)], ForwardPass(sequences: 1))[0]
  }
}
