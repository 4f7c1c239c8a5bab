import Glibc

/// The learning rate as a pure function of the step.
///
/// Every schedule rises linearly from 0 over the warm-up (step s of w has the share (s + 1)/w, so
/// the first step already moves), then follows its shape; the descents reach the final rate where
/// the step after the last would be, so that a final rate of 0 wastes no step.
public struct Schedule: Sendable, Equatable {
  /// What happens after the warm-up.
  public enum Shape: String, Sendable, CaseIterable {
    /// The peak, all the way.
    case constant
    /// A straight line to the final rate.
    case linear
    /// Half a cosine to the final rate (Loshchilov & Hutter 2017).
    case cosine
    /// Warm-up–stable–decay (Hu et al. 2024): the peak, then a straight line over the last steps.
    case wsd
    /// Peak·√(warm-up/step) (Vaswani et al. 2017).
    case inverseSquareRoot

    /// Whether it ends at the final rate.
    public var reachesFinal: Bool {
      switch self {
      case .linear, .cosine, .wsd: true
      case .constant, .inverseSquareRoot: false
      }
    }
  }

  let shape: Shape
  let peak: Double
  let final: Double
  let warmup: Int
  let decay: Int
  let steps: Int

  /// - Parameters:
  ///   - shape: What happens after the warm-up.
  ///   - peak: Highest rate.
  ///   - final: Rate at the end of the run, for the shapes that end lower.
  ///   - warmup: Steps of linear rise.
  ///   - decay: Steps of the final descent of `wsd`.
  ///   - steps: Steps of the run.
  public init(
    shape: Shape, peak: Double, final: Double, warmup: Int, decay: Int = 0, steps: Int
  ) {
    self.shape = shape
    self.peak = peak
    self.final = final
    self.warmup = warmup
    self.decay = decay
    self.steps = steps
  }

  /// The rate of step `step`, counted from 0.
  public func rate(at step: Int) -> Double {
    if step < warmup { return peak * Double(step + 1) / Double(warmup) }
    switch shape {
    case .constant:
      return peak
    case .linear:
      return final + (peak - final) * (1 - share(of: step, after: warmup))
    case .cosine:
      return final + (peak - final) * (1 + cos(.pi * share(of: step, after: warmup))) / 2
    case .wsd:
      let start = max(warmup, steps - decay)
      return step < start ? peak : final + (peak - final) * (1 - share(of: step, after: start))
    case .inverseSquareRoot:
      return peak * (Double(max(warmup, 1)) / Double(max(step + 1, 1))).squareRoot()
    }
  }

  /// How much of the way from `start` to the end of the run is done, in [0, 1].
  private func share(of step: Int, after start: Int) -> Double {
    min(1, Double(step - start) / Double(max(1, steps - start)))
  }
}
