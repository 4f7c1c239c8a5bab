import Tensors

/// The clipped loss of PPO's value head, as OpenAI's baselines and TRL have it.
///
/// Of a token with value v, v₀ when it was sampled, and return R:
///
///     coefficient·½·max((v − R)², (clip(v, v₀ − c, v₀ + c) − R)²)
///
/// Derivative: coefficient·(v − R) where the unclipped side decides, else 0: then v is outside the
/// range, and its clipped value does not move.
public struct ClippedValue: Sendable, Equatable {
  /// How far a value may move from the old one before its loss is that of the end of the range; nil
  /// for no clipping.
  public var clip: Double?
  /// The factor beside the policy's loss.
  public var coefficient: Double

  /// - Parameters:
  ///   - clip: See the property; 0.2 is usual.
  ///   - coefficient: See the property; 0.1 in TRL, 0.5 in baselines.
  public init(clip: Double? = 0.2, coefficient: Double = 0.1) {
    precondition(
      clip ?? 1 > 0 && coefficient >= 0, "a value loss with clip \(clip ?? 0), \(coefficient)")
    (self.clip, self.coefficient) = (clip, coefficient)
  }

  /// The sum of the tokens' losses over the sum of their weights.
  ///
  /// - Parameters:
  ///   - values: The value head's results at n tokens.
  ///   - old: The values before the first update.
  ///   - returns: What they should have been.
  ///   - weights: As `ClippedPolicy` has them.
  public func callAsFunction(
    _ values: Tensor, old: [Float], returns: [Float], weights: [Float]
  ) -> Loss {
    precondition(
      old.count == values.count && returns.count == values.count && weights.count == values.count,
      "ClippedValue: \(values.shape) values, \(old.count) old, \(returns.count) returns, "
        + "\(weights.count) weights")
    var measures = Measures()
    let losses = values.elementwise { token, value in
      let weight = Double(weights[token])
      guard weight != 0 else { return (0, 0) }
      let (value, old, target) = (Double(value), Double(old[token]), Double(returns[token]))
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
