/// Detects a diverging run before the next checkpoint would keep its weights.
///
/// A loss or gradient norm that is not finite ends the run at once. Five faults end it when they last,
/// because single bad batches are normal:
///
/// - a loss above `spike` times the mean of the last 32 losses, ten times as high a limit until there are
///   32, and above half of that of a guess without the input;
/// - a loss above twice that of such a guess, to which a slow divergence climbs, when the recent excess
///   is more than that of 256 predictions: a step may have only a few, of which one can be wrong with a
///   large loss. The excess is a cumulative sum that restarts at 0 (Page 1954);
/// - a loss above 1.25 times that of such a guess for 32 steps, in a run in which the mean of 32 has been
///   below three quarters of it: the model has forgotten what it knew;
/// - a gradient of 0, which weights have that no longer affect the loss;
/// - the objective's own sign, such as a policy that has collapsed.
///
/// The second and fourth end the run after 3 steps in a row. In a step of few examples a hard one is a
/// large part, so the first must last for as many steps as have 256 examples, and the last for 64, from 3
/// to 32 steps.
package struct DivergenceGuard: Sendable {
  /// The error that ends a diverged run.
  package struct Diverged: Error, Equatable, Sendable, CustomStringConvertible {
    /// The step, from 1.
    package let step: Int
    /// The observation, as the part of a sentence.
    package let reason: String
    /// The setting that turns the check off; nil for one that is always made.
    package let setting: String?

    /// A run whose `figure` is not finite.
    init(step: Int, _ figure: String, is value: Double) {
      // The sign of a NaN has no meaning.
      self.init(step: step, reason: "its \(figure) is \(value.isNaN ? .nan : value)")
    }

    init(step: Int, reason: String, setting: String? = nil) {
      self.step = step
      self.reason = reason
      self.setting = setting
    }

    /// Returns the error with more about its reason.
    func adding(_ words: String) -> Diverged {
      Diverged(step: step, reason: reason + words, setting: setting)
    }

    /// One sentence: what, where, why, what to do.
    package var description: String {
      "The run diverged at step \(step): \(reason); nothing after the last good checkpoint was "
        + "kept, so lower the learning rate or raise the warm-up and run the same command again"
        + (setting.map { " (\($0) turns this check off)." } ?? ".")
    }
  }

  /// Consecutive steps with a fault.
  private struct Streak {
    /// The number of steps that ends the run.
    let limit: Int
    private(set) var length = 0

    init(limit: Int, length: Int = 0) { (self.limit, self.length) = (limit, length) }

    /// Counts a step with `fault`, or restarts without one; returns the reason to end the run.
    mutating func note(_ fault: String?) -> String? {
      length = fault == nil ? 0 : length + 1
      return length < limit ? nil : fault.map { "\($0), for \(length) steps in a row" }
    }
  }

  static let window = 32
  static let patience = 3
  static let leastExamples = (ofSpike: 256, ofSign: 64)
  static let earlyFactor = 10.0
  static let guessFactor = 2.0
  static let forgottenFactors = (of: 0.75, to: 1.25)
  static let mostExcess = 256.0
  static let leastWarned = 8
  private let spike: Double
  /// The losses of the window, oldest first; kept in checkpoints.
  package private(set) var recent: [Double]
  /// The lowest mean of the window; nil before it is full, and kept in checkpoints.
  package private(set) var lowest: Double?
  /// The losses of the last steps, which may have a fault.
  ///
  /// They enter the window when a healthy step follows: without them the mean would be that of the easy
  /// batches alone.
  private var doubtful: [Double] = []
  /// Faults that no hard example has.
  private var certain = Streak(limit: patience)
  /// Faults that hard examples have, too.
  private var spikes: Streak
  private var signs: Streak
  /// Losses of a model that has forgotten what it knew.
  private var forgotten = Streak(limit: window)

  /// - Parameters:
  ///   - spike: Multiple of the recent mean; 0 checks only for values that are not finite, and for the
  ///     objective's sign.
  ///   - examples: The number of examples in a step.
  ///   - recent: Losses of a run that is resumed.
  ///   - lowest: The lowest mean of a run that is resumed.
  ///   - forgotten: The `forgottenSteps` of a run that is resumed.
  package init(
    spike: Double, examples: Int, recent: [Double] = [], lowest: Double? = nil, forgotten: Int = 0
  ) {
    self.spike = spike
    self.lowest = lowest
    self.recent = recent.suffix(DivergenceGuard.window)
    func steps(of least: Int) -> Int {
      min(max((least - 1) / max(1, examples) + 1, DivergenceGuard.patience), DivergenceGuard.window)
    }
    spikes = Streak(limit: steps(of: DivergenceGuard.leastExamples.ofSpike))
    signs = Streak(limit: steps(of: DivergenceGuard.leastExamples.ofSign))
    self.forgotten = Streak(limit: DivergenceGuard.window, length: forgotten)
  }

  /// The steps in a row with the loss of a model that has forgotten what it knew; kept in checkpoints.
  package var forgottenSteps: Int { forgotten.length }

  /// The reason to doubt the last step, as the part of a sentence; nil for a healthy step.
  ///
  /// No checkpoint is published meanwhile.
  package private(set) var fault: String?

  /// Checks the loss and gradient norm of step `step`, counted from 1.
  ///
  /// - Parameters:
  ///   - loss: The mean loss of the step's predictions.
  ///   - count: The number of predictions.
  ///   - guess: The loss of a guess without the input; nil for a loss that has none.
  ///   - sign: The objective's sign of a divergence, as the part of a sentence; nil without one.
  package mutating func observe(
    step: Int, loss: Double, count: Double, gradientNorm: Double, guess: Double? = nil,
    sign: String? = nil
  ) throws(Diverged) {
    guard loss.isFinite else { throw Diverged(step: step, "loss", is: loss) }
    guard gradientNorm.isFinite else {
      throw Diverged(step: step, "gradient norm", is: gradientNorm)
    }
    fault = sign
    if let reason = signs.note(sign) {
      throw Diverged(step: step, reason: reason, setting: "guard.collapse: false")
    }
    guard spike > 0 else { return }
    let guessLimit = guessLimit(guess)
    let stillGradient = gradientNorm == 0 && loss != 0
    let climbs = loss > guessLimit && excess(loss, count, over: guessLimit) > Self.mostExcess
    let isHigh = loss > max(limit, (guess ?? 0) / 2)
    let still = stillGradient ? "its gradient is 0 at a loss of \(rounded(loss))" : nil
    let aboveGuess =
      loss > guessLimit
      ? "its loss \(rounded(loss)) is above \(Self.guessFactor) × that of a guess without the input, "
        + "\(rounded(guess ?? 0))" : nil
    let high =
      isHigh
      ? "its loss \(rounded(loss)) is above \(multiple) × the recent mean \(rounded(mean))" : nil
    let below = lowest ?? .infinity
    let (learned, lost) = Self.forgottenFactors
    let isForgotten = guess.map { below < learned * $0 && loss > lost * $0 } ?? false
    let worse =
      isForgotten
      ? "its loss \(rounded(loss)) is above that of a guess without the input, "
        + "\(rounded(guess ?? 0)), and was \(rounded(below))" : nil
    let reasons = [
      certain.note(still ?? (climbs ? aboveGuess : nil)), spikes.note(high), forgotten.note(worse),
    ]
    // A few hard examples are worse than a guess, too.
    let lasting = forgotten.length < Self.patience ? nil : worse
    fault = still ?? high ?? aboveGuess ?? lasting ?? fault
    if let reason = reasons.compactMap(\.self).first {
      throw Diverged(step: step, reason: reason, setting: "guard.spike: 0")
    }
    // One extreme loss must not hide the next ones.
    doubtful.append(min(loss, Self.earlyFactor * limit))
    if stillGradient || isHigh || loss > guessLimit { return }
    recent = (recent + doubtful).suffix(Self.window)
    doubtful = []
    if recent.count == Self.window { lowest = min(below, mean) }
  }

  /// Returns a sentence when the recent losses are far above `guess`, that of a guess without the input;
  /// nil when they are not, or there are too few.
  package func warning(guess: Double) -> String? {
    let last = (recent + doubtful).suffix(Self.window)
    let mean = last.reduce(0, +) / Double(max(1, last.count))
    guard last.count >= Self.leastWarned, mean > Self.forgottenFactors.to * guess else {
      return nil
    }
    return
      "the mean loss of the last \(last.count) steps, \(rounded(mean)), is above that of a guess "
      + "without the input, \(rounded(guess)): the model has not learned, or has lost what it knew; "
      + "lower the learning rate or raise the warm-up"
  }

  /// The mean of the recent losses.
  private var mean: Double { recent.reduce(0, +) / Double(max(1, recent.count)) }

  /// The multiple of the mean that is a spike.
  private var multiple: Double {
    recent.count < DivergenceGuard.window ? spike * DivergenceGuard.earlyFactor : spike
  }

  /// The least loss that is a spike; without recent ones there is none.
  private var limit: Double { recent.isEmpty ? .infinity : multiple * mean }

  /// The least loss that is far above `guess`; a model that begins above is compared with its own lowest
  /// recent loss.
  private func guessLimit(_ guess: Double?) -> Double {
    guard let guess, let lowest = recent.min() else { return .infinity }
    return Self.guessFactor * max(guess, lowest)
  }

  /// Returns the recent excess of the losses over `limit`, in predictions with twice the loss of a guess.
  private func excess(_ loss: Double, _ count: Double, over limit: Double) -> Double {
    (recent + doubtful + [loss]).reduce(0) {
      max(0, $0 + count * ($1 - limit) * Self.guessFactor / limit)
    }
  }

  private func rounded(_ value: Double) -> Double { (value * 10_000).rounded() / 10_000 }
}
