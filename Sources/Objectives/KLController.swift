/// The factor of the KL penalty in the rewards: fixed, or moved towards a target (Ziegler and others
/// 2019, section 2.2).
///
///     e = clip(KL ÷ target − 1, −0.2, 0.2),  β ← β·(1 + e·answers ÷ horizon)
public struct KLController: Sendable, Equatable {
  /// How it moves.
  public enum Rule: Sendable, Equatable {
    /// Not at all.
    case fixed
    /// Towards `target` nats an answer, in about `horizon` answers.
    case adaptive(target: Double, horizon: Double)
  }

  /// How it moves.
  public let rule: Rule
  /// β at present; what a checkpoint keeps.
  public private(set) var coefficient: Double

  /// - Parameters:
  ///   - coefficient: β at the start, or where a checkpoint left it.
  ///   - rule: How it moves.
  public init(coefficient: Double, rule: Rule = .fixed) {
    precondition(coefficient >= 0, "a KL coefficient of \(coefficient)")
    if case .adaptive(let target, let horizon) = rule {
      precondition(target > 0 && horizon > 0, "a KL target of \(target) over \(horizon) answers")
    }
    (self.coefficient, self.rule) = (coefficient, rule)
  }

  /// Moves β after `answers` answers whose KL was `kl` nats an answer in the mean.
  public mutating func update(kl: Double, answers: Int) {
    guard case .adaptive(let target, let horizon) = rule, kl.isFinite else { return }
    let error = min(max(kl / target - 1, -0.2), 0.2)
    coefficient *= max(0, 1 + error * Double(answers) / horizon)
  }
}
