/// A figure of reinforcement learning with its healthy range, and the cause and remedy of a value
/// outside of it.
///
/// The default ranges are those usually reported for healthy runs of PPO and GRPO on language
/// models; a run may set its own.
package struct HealthCheck: Sendable, Equatable {
  /// The figure that is checked; the raw value is its name in warnings.
  package enum Figure: String, Sendable, CaseIterable {
    /// KL of the policy from the reference model, nats per token.
    case referenceKL = "KL to the reference model"
    /// KL of the updated policy from the old policy, nats per token (k3).
    case updateKL = "KL of the update"
    /// Mean ratio of new to old probability.
    case ratio = "mean ratio"
    /// The largest ratio.
    case largestRatio = "largest ratio"
    /// Entropy, nats per token.
    case entropy = "entropy"
    /// Fraction of clipped tokens.
    case clipFraction = "clip fraction"
    /// The explained variance of the value head.
    case explainedVariance = "explained variance of the values"
    /// Standard deviation of the completions' rewards.
    case rewardStd = "standard deviation of the rewards"
    /// Correlation of reward and length.
    case rewardLength = "correlation of reward and length"
    /// Fraction of completions that end with the end token.
    case ended = "fraction of ended completions"
    /// The largest difference of a token's log-probability between sampling and training, nats.
    case samplingDifference = "difference between sampling and training"

    /// Returns the figure's value in `measures`; nil when nothing was observed.
    package func value(in measures: Measures) -> Double? {
      switch self {
      case .referenceKL: measures[.referenceKL]
      case .updateKL: measures[.updateKLk3]
      case .ratio: measures[.ratio]
      case .largestRatio: measures[.largestRatio]
      case .entropy: measures[.entropy]
      case .clipFraction: measures[.clipFraction]
      case .explainedVariance: measures.explainedVariance
      case .rewardStd: measures.rewardStd
      case .rewardLength: measures.rewardLengthCorrelation
      case .ended: measures[.ended]
      case .samplingDifference: measures[.samplingDifference]
      }
    }

    /// The unit after the number.
    var unit: String {
      switch self {
      case .referenceKL, .updateKL, .entropy: " nats per token"
      case .samplingDifference: " nats"
      default: ""
      }
    }
  }

  /// The figure that is checked.
  package var figure: Figure
  /// The range of healthy values.
  package var healthy: ClosedRange<Double>
  /// Cause and remedy of a figure below the range.
  package var below: String
  /// Cause and remedy of a figure above the range.
  package var above: String

  /// Returns a warning when the figure in `measures` is outside its healthy range; nil when it is
  /// healthy or was not observed.
  package func warning(in measures: Measures) -> String? {
    guard let value = figure.value(in: measures) else { return nil }
    guard !value.isNaN else {
      return "\(figure.rawValue) is NaN: the step diverged; lower the learning rate."
    }
    guard !healthy.contains(value) else { return nil }
    let isBelow = value < healthy.lowerBound
    let bound = isBelow ? healthy.lowerBound : healthy.upperBound
    return "\(figure.rawValue) \(Self.text(value)) \(isBelow ? "below" : "above") "
      + "\(Self.text(bound))\(figure.unit): \(isBelow ? below : above)"
  }

  /// Three significant digits, whatever the size.
  static func text(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
    var (scale, rest) = (1.0, abs(value))
    while rest < 100 && scale < 1e12 { (scale, rest) = (scale * 10, rest * 10) }
    while rest >= 1000 && scale > 1e-12 { (scale, rest) = (scale / 10, rest / 10) }
    let rounded = (value * scale).rounded() / scale
    return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
  }
}

extension HealthCheck {
  /// Every figure, in the order in which a reader looks for causes.
  package static let all: [HealthCheck] = [
    HealthCheck(
      figure: .referenceKL, healthy: -0.05...0.5,
      below: "the scored completions were not sampled from this policy; sample at the training "
        + "temperature, without top-k and top-p.",
      above: "optimizer.learningRate or policy.clip is too high, or kl.coefficient too low; lower "
        + "the former or raise the latter."),
    HealthCheck(
      figure: .updateKL, healthy: 0...0.05, below: "a rounding error.",
      above: "the updates are too large; lower optimizer.learningRate or policy.epochs."),
    HealthCheck(
      figure: .ratio, healthy: 0.9...1.1,
      below: "the update lowers the probability of the sampled tokens; lower "
        + "optimizer.learningRate or policy.epochs.",
      above: "a few tokens gain much probability; lower optimizer.learningRate or policy.epochs."),
    HealthCheck(
      figure: .largestRatio, healthy: 0...10, below: "a rounding error.",
      above: "the probability of a single token changed much, which the clip bounds; if it stays "
        + "there, lower optimizer.learningRate or policy.epochs."),
    HealthCheck(
      figure: .entropy, healthy: 0.05...5,
      below: "the policy has collapsed to a few completions; raise policy.entropy, kl.coefficient "
        + "or rollouts.temperature.",
      above: "the policy has become noise; lower optimizer.learningRate or policy.entropy, or "
        + "raise kl.coefficient."),
    HealthCheck(
      figure: .clipFraction, healthy: 0...0.3, below: "a rounding error.",
      above: "too many tokens are clipped; lower optimizer.learningRate or policy.epochs."),
    HealthCheck(
      // A head that has learned nothing yet predicts a constant: its explained variance is 0, give
      // or take its noise.
      figure: .explainedVariance, healthy: -0.1...1,
      below: "the value head predicts the returns worse than their mean; lower "
        + "optimizer.learningRate, and keep policy.valueWeight small, since the head shares the "
        + "backbone of the policy.",
      above: "a rounding error."),
    HealthCheck(
      figure: .rewardStd, healthy: 1e-6...Double.greatestFiniteMagnitude,
      below: "all completions get the same reward, so the advantages are 0; check the reward, or "
        + "raise rollouts.temperature.",
      above: "a reward is infinite; check the reward."),
    HealthCheck(
      figure: .rewardLength, healthy: -0.6...0.6,
      below: "the reward favours short completions; check the reward model's length correlation.",
      above: "the reward favours long completions; if the policy's become longer, check the reward "
        + "model's length correlation."),
    HealthCheck(
      figure: .ended, healthy: 0.8...1,
      below: "completions are cut off; raise rollouts.tokens or reward.unendedPenalty.",
      above: "a counting error."),
    HealthCheck(
      figure: .samplingDifference, healthy: 0...2e-2, below: "a rounding error.",
      above: "sampling and training compute different log-probabilities; set "
        + "rollouts.batchInvariant: true."),
  ]

  /// Returns a warning for every figure outside its healthy range.
  package static func warnings(in measures: Measures, by checks: [HealthCheck] = all) -> [String] {
    checks.compactMap { $0.warning(in: measures) }
  }
}
