import Tensors

/// The clipped loss of PPO's value head, as in OpenAI's baselines and TRL.
///
/// The loss of a token with value v, old value v₀ (when the token was sampled), and return R:
///
///     coefficient·½·max((v − R)², (clip(v, v₀ − c, v₀ + c) − R)²)
///
/// The derivative is coefficient·(v − R) when the unclipped term is the maximum; else 0, because
/// then v is outside the range and its clipped value is constant.
package struct ClippedValue: Sendable, Equatable {
  /// The distance from the old value at which a value is clipped; nil for no clipping.
  package var clip: Double?
  /// The factor of the value loss in the sum with the policy loss.
  package var coefficient: Double

  /// - Parameters:
  ///   - clip: The distance from the old value at which a value is clipped; 0.2 is usual.
  ///   - coefficient: The factor of the value loss; 0.1 in TRL, 0.5 in baselines.
  package init(clip: Double? = 0.2, coefficient: Double = 0.1) {
    precondition(
      clip ?? 1 > 0 && coefficient >= 0, "a value loss with clip \(clip ?? 0), \(coefficient)")
    (self.clip, self.coefficient) = (clip, coefficient)
  }

  /// Returns the summed weighted loss of n tokens, with the sum of their weights as its count.
  ///
  /// - Parameters:
  ///   - values: The outputs of the value head, [n].
  ///   - oldValues: The values before the first update, [n].
  ///   - returns: The returns, which the values should predict, [n].
  ///   - weights: The loss mask and weights, [n], as in `ClippedPolicy`.
  package func callAsFunction(
    _ values: Tensor, oldValues: [Float], returns: [Float], weights: [Float]
  ) -> Loss {
    precondition(
      oldValues.count == values.count && returns.count == values.count
        && weights.count == values.count,
      "ClippedValue: \(values.shape) values, \(oldValues.count) old, \(returns.count) returns, "
        + "\(weights.count) weights")
    var measures = Measures()
    let losses = values.elementwise { token, value in
      let weight = Double(weights[token])
      guard weight != 0 else { return (0, 0) }
      let (value, old, target) = (
        Double(value), Double(oldValues[token]), Double(returns[token])
      )
      let error = value - target
      let clipped = clip.map { min(max(value, old - $0), old + $0) - target } ?? error
      let isClipped = clipped * clipped > error * error
      let loss = 0.5 * max(error * error, clipped * clipped)
      measures.add(loss, to: .valueLoss, weight: weight)
      measures.add(isClipped ? 1 : 0, to: .valueClipFraction)
      measures.addReturn(target, error: -error)
      let factor = weight * coefficient
      return (Float(factor * loss), isClipped ? 0 : Float(factor * error))
    }
    return Loss(losses, count: weights.reduce(0) { $0 + Double($1) }, measures: measures)
  }
}
