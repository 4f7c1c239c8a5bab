/// Notices a run that has gone wrong before the next checkpoint would keep it.
///
/// A loss or gradient that is no number ends the run at once. A loss above `spike` times the mean
/// of the last 32 sound ones must stay there for three steps: single bad batches happen. While there
/// are fewer to look back on, ten times as much is allowed.
public struct DivergenceGuard: Sendable {
  /// Why a run was ended.
  public struct Diverged: Error, Equatable, Sendable, CustomStringConvertible {
    /// The step, from 1.
    public let step: Int
    /// What was seen.
    public let reason: String

    /// A run of which `figure` is no finite number.
    init(step: Int, _ figure: String, is value: Double) {
      // A NaN has a sign, which says nothing.
      self.init(step: step, reason: "its \(figure) is \(value.isNaN ? .nan : value)")
    }

    init(step: Int, reason: String) {
      self.step = step
      self.reason = reason
    }

    /// One sentence: what, where, why, what to do.
    public var description: String {
      "The run diverged at step \(step): \(reason); nothing after the last good checkpoint was "
        + "kept, so lower the learning rate or raise the warm-up and run the same command again."
    }
  }

  static let window = 32
  static let patience = 3
  static let allowanceWhenYoung = 10.0
  private let spike: Double
  /// The losses looked back on, oldest first; kept in checkpoints.
  public private(set) var recent: [Double]
  private var above = 0

  /// - Parameters:
  ///   - spike: Multiple of the recent mean; 0 looks only for numbers that are none.
  ///   - recent: Losses of a run that is resumed.
  public init(spike: Double, recent: [Double] = []) {
    self.spike = spike
    self.recent = recent.suffix(DivergenceGuard.window)
  }

  /// Whether the last loss was too high: no checkpoint is written while it is.
  public var isSuspicious: Bool { above > 0 }

  /// Looks at the figures of step `step`.
  public mutating func observe(step: Int, loss: Double, gradientNorm: Double)
    throws(Diverged)
  {
    guard loss.isFinite else { throw Diverged(step: step, "loss", is: loss) }
    guard gradientNorm.isFinite else {
      throw Diverged(step: step, "gradient norm", is: gradientNorm)
    }
    let mean = recent.reduce(0, +) / Double(max(1, recent.count))
    let isYoung = recent.count < DivergenceGuard.window
    let multiple = isYoung ? spike * DivergenceGuard.allowanceWhenYoung : spike
    if spike > 0 && !recent.isEmpty && loss > multiple * mean {
      above += 1
      if above >= DivergenceGuard.patience {
        throw Diverged(
          step: step,
          reason:
            "its loss \(rounded(loss)) is the third in a row above \(multiple) × the recent mean "
            + "\(rounded(mean))")
      }
      return
    }
    above = 0
    recent.append(loss)
    if recent.count > DivergenceGuard.window { recent.removeFirst() }
  }

  private func rounded(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }
}
