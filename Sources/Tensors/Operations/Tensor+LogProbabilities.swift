import CKernels

/// The log-probabilities of target tokens and the entropies of the predicted distributions.
package struct TokenLogProbabilities {
  /// log p of every target in nats, [rows].
  package let chosen: Tensor
  /// The entropy −Σ p·log p at every row in nats, [rows].
  package let entropies: Tensor

  package init(chosen: Tensor, entropies: Tensor) {
    precondition(
      chosen.shape == entropies.shape,
      "log-probabilities \(chosen.shape) and entropies \(entropies.shape)")
    (self.chosen, self.entropies) = (chosen, entropies)
  }
}

extension Tensor {
  /// Returns log softmax(x·headᵀ ÷ temperature) at the target of every row x of `self`, and the
  /// entropy of the distribution: [rows, width] → [rows] each, both recorded.
  ///
  /// While recording, the log-probabilities of the full vocabulary are kept once, in the operand
  /// type of products, and the backward pass replaces them by the gradient with respect to the
  /// logits in place. Without recording, only a fixed number of rows exists at a time. The values
  /// have the same bits either way, and at temperature 1 those of `crossEntropy` without a tape.
  ///
  /// - Parameters:
  ///   - head: [vocabulary, width].
  ///   - targets: One token id per row.
  ///   - weights: A row of weight 0 is excluded: both its values are 0, and it may have any target.
  ///     Nonzero weights do not scale the results. Nil includes every row.
  ///   - temperature: Divisor of the logits, above 0.
  package func logProbabilities(
    head: Tensor, targets: [Int32], weights: [Float]? = nil, temperature: Float = 1
  ) -> TokenLogProbabilities {
    precondition(temperature > 0, "logProbabilities: a temperature of \(temperature)")
    HeadProduct.require(self, head, targets, weights, "logProbabilities")
    let (rows, vocabulary, scale) = (rows, head.shape[0], 1 / temperature)
    // Row 0: log-probabilities, row 1: entropies.
    let y = Tensor(uninitialized: [2, rows], in: workspace)
    let product = HeadProduct(of: self, head)
    let kept = product.logits(isWholeOnTape: false) { logits, part, isKept in
      HeadProduct.withUnsafe(targets, weights, of: part) { targets, weights in
        apus_log_softmax(
          logits, isKept, y.pointer + part.lowerBound, y.pointer + rows + part.lowerBound, targets,
          weights, scale, part.count, vocabulary)
      }
    }
    let entropies = y.detached
    let both = y.recorded(from: self, head) { dy in
      Tensor.forEachBlock(of: [kept]) { part in
        HeadProduct.withUnsafe(targets, weights, of: part) { targets, weights in
          kept.reading(part) { logs in
            kept.writing(part) { logitsGradient in
              if logitsGradient != logs {
                logitsGradient.update(from: logs, count: part.count * vocabulary)
              }
              apus_log_softmax_backward(
                logitsGradient, dy.pointer + part.lowerBound, dy.pointer + rows + part.lowerBound,
                entropies.pointer + rows + part.lowerBound, targets, weights, scale, part.count,
                vocabulary)
            }
          }
        }
      }
      product.accumulate(kept)
    }
    return TokenLogProbabilities(
      chosen: both[rows: 0..<1].reshaped([rows]), entropies: both[rows: 1..<2].reshaped([rows]))
  }
}
