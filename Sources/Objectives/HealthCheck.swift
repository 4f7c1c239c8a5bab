/// A figure of reinforcement learning with the range in which runs go well, and what it means when it
/// leaves that range.
///
/// The ranges are those in which runs of PPO and GRPO on language models are usually reported
/// healthy; a run may set its own.
public struct HealthCheck: Sendable, Equatable {
  /// What is looked at.
  public enum Figure: String, Sendable, CaseIterable {
    /// KL of the policy from the reference, nats a token.
    case referenceKL = "KL to the reference"
    /// KL of the updated policy from the one that sampled, nats a token (k3).
    case updateKL = "KL of the update"
    /// Mean ratio of new and old probability.
    case ratio = "mean ratio"
    /// The largest ratio.
    case largestRatio = "largest ratio"
    /// Entropy, nats a token.
    case entropy = "entropy"
    /// Share of clipped tokens.
    case clipFraction = "clip fraction"
    /// What the value head explains of the returns.
    case explainedVariance = "explained variance of the values"
    /// Standard deviation of the answers' rewards.
    case rewardDeviation = "deviation of the rewards"
    /// Correlation of reward and length.
    case rewardLength = "correlation of reward and length"
    /// Share of answers that end.
    case ended = "share of answers that end"
    /// The largest difference of a token's log-probability between sampling and training, nats.
    case samplingDifference = "difference of sampling and training"

    /// Its value in a step; nil where nothing was observed.
    public func value(in measures: Measures) -> Double? {
      switch self {
      case .referenceKL: measures[.referenceKL]
      case .updateKL: measures[.updateKLk3]
      case .ratio: measures[.ratio]
      case .largestRatio: measures[.largestRatio]
      case .entropy: measures[.entropy]
      case .clipFraction: measures[.clipFraction]
      case .explainedVariance: measures.explainedVariance
      case .rewardDeviation: measures.rewardDeviation
      case .rewardLength: measures.rewardLengthCorrelation
      case .ended: measures[.ended]
      case .samplingDifference: measures[.samplingDifference]
      }
    }

    /// What follows the number.
    var unit: String {
      switch self {
      case .referenceKL, .updateKL, .entropy: " nats a token"
      case .samplingDifference: " nats"
      default: ""
      }
    }
  }

  /// What is looked at.
  public var figure: Figure
  /// Where it is healthy.
  public var healthy: ClosedRange<Double>
  /// Cause and remedy of a figure below the range.
  public var below: String
  /// Cause and remedy of a figure above the range.
  public var above: String

  /// A sentence about what is wrong with the figure in `measures`; nil when it is healthy or was not
  /// observed.
  public func finding(in measures: Measures) -> String? {
    guard let value = figure.value(in: measures) else { return nil }
    guard !value.isNaN else {
      return "\(figure.rawValue) is no number: the step diverged; lower the learning rate."
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
  public static let all: [HealthCheck] = [
    HealthCheck(
      figure: .referenceKL, healthy: -0.05...0.5,
      below: "what is scored was not sampled from this policy; sample at the temperature that "
        + "trains, without top-k and top-p.",
      above: "learning rate or clip too high, or the KL coefficient too low; lower the first or "
        + "raise the last."),
    HealthCheck(
      figure: .updateKL, healthy: 0...0.05, below: "a rounding error.",
      above: "an update goes too far; lower the learning rate or the epochs over a rollout."),
    HealthCheck(
      figure: .ratio, healthy: 0.9...1.1,
      below: "the update takes probability from what was sampled; lower the learning rate or the "
        + "epochs over a rollout.",
      above: "few tokens gain much; lower the learning rate or the epochs over a rollout."),
    HealthCheck(
      figure: .largestRatio, healthy: 0...10, below: "a rounding error.",
      above: "single tokens moved far; lower the learning rate, or look for a mask that trains "
        + "tokens nobody sampled."),
    HealthCheck(
      figure: .entropy, healthy: 0.05...5,
      below: "the policy has collapsed to few answers; raise the entropy bonus, the KL coefficient "
        + "or the temperature.",
      above: "the policy has become noise; lower the learning rate or the entropy bonus, raise the "
        + "KL coefficient."),
    HealthCheck(
      figure: .clipFraction, healthy: 0...0.3, below: "a rounding error.",
      above: "most updates are cut off; lower the learning rate or the epochs over a rollout."),
    HealthCheck(
      figure: .explainedVariance, healthy: 0...1,
      below: "the value head is worse than a constant; train it before the policy, or raise the "
        + "value coefficient.",
      above: "a rounding error."),
    HealthCheck(
      figure: .rewardDeviation, healthy: 1e-6...Double.greatestFiniteMagnitude,
      below:
        "all answers get the same reward, which teaches nothing; look at the reward, raise the "
        + "temperature.",
      above: "a reward is infinite; look at the reward."),
    HealthCheck(
      figure: .rewardLength, healthy: -0.6...0.6,
      below: "the reward is for short answers; look at the reward model's length correlation.",
      above: "the reward is for long answers, which the policy will write; look at the reward "
        + "model's length correlation."),
    HealthCheck(
      figure: .ended, healthy: 0.8...1,
      below: "answers are cut off; allow more tokens, or give those that do not end less reward.",
      above: "a counting error."),
    HealthCheck(
      figure: .samplingDifference, healthy: 0...2e-2, below: "a rounding error.",
      above: "answers are not quite those of the policy that learns from them; set "
        + "rollouts.batchInvariant: true."),
  ]

  /// A sentence for every figure that is out of its range.
  public static func findings(in measures: Measures, by checks: [HealthCheck] = all) -> [String] {
    checks.compactMap { $0.finding(in: measures) }
  }
}
