import Glibc

/// The learning rate as a pure function of the step.
///
/// Every schedule rises linearly from 0 over the warm-up (step s of w has the fraction (s + 1)/w of
/// the peak, so that the first step already has a positive rate), then follows its shape. The
/// decays reach the final rate one step after the last, so that no step is wasted on a final rate
/// of 0.
package struct Schedule: Sendable, Equatable {
  /// The shape of the schedule after the warm-up.
  package enum Shape: String, Sendable, CaseIterable {
    /// The peak until the end.
    case constant
    /// A straight line to the final rate.
    case linear
    /// Half a cosine to the final rate (Loshchilov & Hutter 2017).
    case cosine
    /// Warm-up–stable–decay (Hu et al. 2024): the peak, then a straight line over the last steps.
    case wsd
    /// Peak·√(warm-up/step) (Vaswani et al. 2017).
    case inverseSquareRoot

    /// True when the schedule ends at the final rate.
    package var reachesFinal: Bool {
      switch self {
      case .linear, .cosine, .wsd: true
      case .constant, .inverseSquareRoot: false
      }
    }
  }

  let shape: Shape
  /// The highest learning rate.
  package let peak: Double
  let final: Double
  /// Steps of linear warm-up.
  package let warmup: Int
  let decay: Int
  let steps: Int

  /// - Parameters:
  ///   - shape: The shape after the warm-up.
  ///   - peak: Highest rate.
  ///   - final: Rate at the end of the run, for `linear`, `cosine` and `wsd`.
  ///   - warmup: Steps of linear rise.
  ///   - decay: Steps of the final decay of `wsd`.
  ///   - steps: Steps of the run.
  package init(
    shape: Shape, peak: Double, final: Double, warmup: Int, decay: Int = 0, steps: Int
  ) {
    self.shape = shape
    self.peak = peak
    self.final = final
    self.warmup = warmup
    self.decay = decay
    self.steps = steps
  }

  /// True when the rate should decay and does not, because the warm-up takes all steps but the last.
  package var warmupLeavesNoDecay: Bool {
    shape.reachesFinal && final < peak && warmup > 0 && warmup >= steps - 1
  }

  /// Returns the schedule of a run of `steps` steps, `warmup` of them with a rising rate, with the
  /// same settings.
  package func with(steps: Int, warmup: Int) -> Schedule {
    Schedule(shape: shape, peak: peak, final: final, warmup: warmup, decay: decay, steps: steps)
  }

  /// Returns the rate of step `step`, counted from 0.
  package func rate(at step: Int) -> Double {
    if step < warmup { return peak * Double(step + 1) / Double(warmup) }
    switch shape {
    case .constant:
      return peak
    case .linear:
      return final + (peak - final) * (1 - progress(of: step, after: warmup))
    case .cosine:
      return final + (peak - final) * (1 + cos(.pi * progress(of: step, after: warmup))) / 2
    case .wsd:
      let start = max(warmup, steps - decay)
      return step < start ? peak : final + (peak - final) * (1 - progress(of: step, after: start))
    case .inverseSquareRoot:
      return peak * (Double(max(warmup, 1)) / Double(max(step + 1, 1))).squareRoot()
    }
  }

  /// Returns the completed fraction of the steps from `start` to the end of the run, in [0, 1].
  private func progress(of step: Int, after start: Int) -> Double {
    min(1, Double(step - start) / Double(max(1, steps - start)))
  }
}
