import Tensors

/// The cross-entropy of a language model: of next tokens, masked tokens, corrupted spans or tags.
package enum TokenLoss {
  /// Returns the losses of the targets with a weight other than 0, in their order.
  ///
  /// Logits are computed for these targets only.
  ///
  /// - Parameters:
  ///   - hidden: The last hidden states, [positions, width].
  ///   - head: The weight of the head, [vocabulary, width].
  ///   - bias: The bias of the head, [vocabulary], or nil.
  ///   - targets: One token id per position.
  ///   - weights: One factor per position.
  ///   - transform: The layers between the hidden states and the head.
  package static func losses(
    hidden: Tensor, head: Tensor, bias: Tensor?, targets: [Int32], weights: [Float],
    transform: (Tensor) -> Tensor
  ) -> Tensor {
    let positions = weights.indices.filter { weights[$0] != 0 }
    let usesAllRows = positions.count == weights.count
    let rows = usesAllRows ? hidden : hidden.rows(at: positions)
    return transform(rows).crossEntropy(
      head: head, bias: bias, targets: usesAllRows ? targets : positions.map { targets[$0] },
      weights: usesAllRows ? weights : positions.map { weights[$0] })
  }
}
