import Checkpoints
import Files

/// The rule by which `guard.onSpike: skip` recognises a step whose update must not be applied.
///
/// Such a step has a loss or gradient norm that is not finite, or one above the mean of the last 128
/// trained steps by more than `guard.std` of their standard deviations; until there are 64, only the
/// first counts. This is the rule of OLMo 2 (arXiv:2501.00656, its `SkipStepOptimizer`), with two
/// changes: skipped steps do not enter the window, where one large value would hide the next and a NaN
/// all others; and a standard deviation is at least a hundredth of the mean, so that a loss which
/// hardly changes has no spikes.
///
/// The values are equal on all ranks, and so is the verdict.
struct SpikeRule: Sendable {
  static let window = 128
  static let leastWindow = 64
  static let leastRelativeDeviation = 0.01

  /// The standard deviations above the mean from which a value is a spike.
  let deviations: Double
  /// The trained steps to compare with.
  private(set) var recent: SpikeWindow

  init(deviations: Double, recent: SpikeWindow = SpikeWindow()) {
    self.deviations = deviations
    self.recent = SpikeWindow(
      losses: recent.losses.suffix(Self.window),
      gradientNorms: recent.gradientNorms.suffix(Self.window))
  }

  /// Returns the reason to skip a step, as the part of a sentence; nil for a healthy one.
  func reason(loss: Double, gradientNorm: Double) -> String? {
    for (name, value, window) in [
      ("loss", loss, recent.losses), ("gradient norm", gradientNorm, recent.gradientNorms),
    ] {
      // The sign of a NaN has no meaning.
      guard value.isFinite else { return "its \(name) is \(value.isNaN ? .nan : value)" }
      guard window.count >= Self.leastWindow else { continue }
      let mean = window.reduce(0, +) / Double(window.count)
      let squares = window.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let deviation = max(
        (squares / Double(window.count - 1)).squareRoot(), Self.leastRelativeDeviation * abs(mean))
      if value > mean + deviations * deviation {
        return "its \(name) \(value.decimals(4)) is more than \(deviations) standard deviations of "
          + "\(deviation.decimals(4)) above the mean \(mean.decimals(4)) of the last "
          + "\(window.count) trained steps"
      }
    }
    return nil
  }

  /// Adds a trained step to the window.
  mutating func note(loss: Double, gradientNorm: Double) {
    recent.losses = (recent.losses + [loss]).suffix(Self.window)
    recent.gradientNorms = (recent.gradientNorms + [gradientNorm]).suffix(Self.window)
  }
}
