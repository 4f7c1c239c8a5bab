import CKernels

extension Tensor {
  /// −weight·log softmax(logits)[target] of every row: [rows, vocabulary] → [rows].
  ///
  /// **Uses up the logits**: their memory holds the probabilities afterwards, and their derivative
  /// in the backward pass, so that the largest array of a step exists once. The logits must not be
  /// read again by anyone.
  ///
  /// - Parameters:
  ///   - targets: One id a row.
  ///   - weights: One factor a row, nil for all 1; a row of weight 0 may have any target.
  public func crossEntropyConsumingLogits(targets: [Int32], weights: [Float]? = nil) -> Tensor {
    let rows = rows
    let vocabulary = columns
    precondition(
      targets.count == rows && weights.map { $0.count == rows } ?? true,
      "crossEntropy: \(targets.count) targets for logits \(shape)")
    for row in 0..<rows where weights.map({ $0[row] != 0 }) ?? true {
      precondition(
        targets[row] >= 0 && Int(targets[row]) < vocabulary,
        "crossEntropy: target \(targets[row]) outside 0..<\(vocabulary)")
    }
    let losses = Tensor(uninitialized: [rows], in: workspace)
    apus_cross_entropy(pointer, losses.pointer, targets, weights, rows, vocabulary)
    let probabilities = detached
    let logits = self
    return losses.recorded(from: logits) { dlosses in
      apus_cross_entropy_backward(
        probabilities.pointer, dlosses.pointer, targets, weights, rows, vocabulary)
      logits.accumulate(adopting: probabilities)
    }
  }
}
