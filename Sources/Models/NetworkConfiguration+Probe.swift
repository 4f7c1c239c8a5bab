// The outputs of networks for a fixed probe input: two copies of a network are taken as equal when
// these outputs agree to the last bit.

import Layers
import Tensors

extension ModelConfiguration {
  /// The probe input: ids from the first to the last of the vocabulary in even steps; at most 64
  /// and at most the context.
  var probeInput: [Int32] {
    let count = min(64, context)
    return (0..<count).map { Int32($0 * (vocabulary - 1) / max(1, count - 1)) }
  }

  /// Returns the logits at every position; an encoder–decoder gets the probe input on both sides.
  package func probeOutput(of network: any LanguageModel) -> [Float] {
    let text = probeInput
    let source = EncoderInput(ids: text, lengths: [Int32(text.count)])
    return network.logits(
      text,
      ForwardPass(sequences: 1, encoderInput: prediction == .sequenceToSequence ? source : nil)
    ).values
  }
}

extension SequenceClassifierConfiguration {
  /// Returns the scores of the probe input.
  package func probeOutput(of network: SequenceClassifier) -> [Float] {
    let text = model.probeInput
    return network(text, examples: [text.indices], ForwardPass(sequences: 1)).values
  }
}

extension TokenClassifierConfiguration {
  /// Returns the logits of the classes at every position.
  package func probeOutput(of network: TokenClassifier) -> [Float] {
    network.logits(model.probeInput, ForwardPass(sequences: 1)).values
  }
}

extension ValueHeadModelConfiguration {
  /// Returns the values at every position.
  package func probeOutput(of network: ValueHeadModel) -> [Float] {
    network.values(network.hidden(model.probeInput, ForwardPass(sequences: 1))).values
  }
}

extension TextEncoderConfiguration {
  /// Returns the mean hidden state of the probe input.
  package func probeOutput(of network: TextEncoder) -> [Float] {
    let text = model.probeInput
    return network.mean(text, texts: [text.indices], ForwardPass(sequences: 1))[0]
  }
}
