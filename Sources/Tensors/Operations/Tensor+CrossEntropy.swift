import CKernels

extension Tensor {
  /// Returns −weight·log softmax(logits)[target] of every row: [rows, vocabulary] → [rows].
  ///
  /// **Overwrites the logits**: their memory holds the probabilities afterwards, and their gradient
  /// in the backward pass, so that the largest array of a step exists once. The logits must not be
  /// read again.
  ///
  /// - Parameters:
  ///   - targets: One token id per row.
  ///   - weights: One factor per row, nil for all 1; a row of weight 0 may have any target.
  package func crossEntropyConsumingLogits(targets: [Int32], weights: [Float]? = nil) -> Tensor {
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
    let place = gradientPlace
    return losses.recorded(from: self) { dlosses in
      apus_cross_entropy_backward(
        probabilities.pointer, dlosses.pointer, targets, weights, rows, vocabulary)
      place.accumulate(adopting: probabilities)
    }
  }

  /// Returns −weight·log softmax(x·headᵀ + bias)[target] of every row x of `self`:
  /// [rows, width] → [rows].
  ///
  /// While recording, the gradient with respect to the logits is computed in the forward pass and
  /// kept in the operand type of products. Apart from it, at most the logits of a fixed number of
  /// rows exist.
  ///
  /// - Parameters:
  ///   - head: [vocabulary, width].
  ///   - bias: [vocabulary], or nil.
  ///   - targets: One token id per row.
  ///   - weights: One factor per row, nil for all 1; a row of weight 0 may have any target.
  package func crossEntropy(
    head: Tensor, bias: Tensor? = nil, targets: [Int32], weights: [Float]? = nil
  ) -> Tensor {
    HeadProduct.require(self, head, targets, weights, "crossEntropy")
    let (rows, vocabulary) = (rows, head.shape[0])
    let losses = Tensor(uninitialized: [rows], in: workspace)
    let ones = [Float](repeating: 1, count: rows)
    let product = HeadProduct(of: self, head, bias)
    let logitsGradient = product.logits(isWholeOnTape: true) { logits, part, isKept in
      HeadProduct.withUnsafe(targets, weights, of: part) { targets, weights in
        apus_cross_entropy(
          logits, losses.pointer + part.lowerBound, targets, weights, part.count, vocabulary)
        guard isKept else { return }
        apus_cross_entropy_backward(logits, ones, targets, weights, part.count, vocabulary)
      }
    }
    return losses.recorded(from: self, head, bias) { dlosses in
      logitsGradient.scaleRows(by: dlosses)
      product.accumulate(logitsGradient)
    }
  }

  /// Multiplies every row by its element of `factors`, in place.
  private func scaleRows(by factors: Tensor) {
    let factors = factors.pointer
    workspace.forEachPart(rows, cost: columns) { part in
      for row in part where factors[row] != 1 {
        reading(row..<row + 1) { from in
          writing(row..<row + 1) { to in apus_scale(to, from, factors[row], columns, false) }
        }
      }
    }
  }
}
