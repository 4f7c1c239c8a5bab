/// The coefficient β of the KL penalty in the rewards: fixed, or controlled so that the KL
/// approaches a target (Ziegler and others 2019, section 2.2).
///
///     e = clip(KL ÷ target − 1, −0.2, 0.2),  β ← β·(1 + e·completions ÷ horizon)
package struct KLController: Sendable, Equatable {
  /// The update rule of β.
  package enum Rule: Sendable, Equatable {
    /// β stays constant.
    case fixed
    /// β is adapted so that the KL approaches `target` nats per completion, over about `horizon`
    /// completions.
    case adaptive(target: Double, horizon: Double)
  }

  /// The update rule of β.
  package let rule: Rule
  /// The current β, which checkpoints save.
  package private(set) var coefficient: Double

  /// - Parameters:
  ///   - coefficient: The initial β, or the one from a checkpoint.
  ///   - rule: The update rule of β.
  package init(coefficient: Double, rule: Rule = .fixed) {
    precondition(coefficient >= 0, "a KL coefficient of \(coefficient)")
    if case .adaptive(let target, let horizon) = rule {
      precondition(
        target > 0 && horizon > 0, "a KL target of \(target) over \(horizon) completions")
    }
    (self.coefficient, self.rule) = (coefficient, rule)
  }

  /// Updates β after `completions` completions with a mean KL of `kl` nats per completion.
  package mutating func update(kl: Double, completions: Int) {
    guard case .adaptive(let target, let horizon) = rule, kl.isFinite else { return }
    let error = min(max(kl / target - 1, -0.2), 0.2)
    coefficient *= max(0, 1 + error * Double(completions) / horizon)
  }
}
