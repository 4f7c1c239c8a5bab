import Monitoring
import Statistics

extension Figure {
  /// Returns a figure, and the bounds of its 95 % confidence interval as the details `NAMELow` and
  /// `NAMEHigh`.
  static func bounded(_ name: String, _ value: Double, in interval: ClosedRange<Double>) -> [Figure]
  {
    [
      Figure(name, value), Figure(name + "Low", interval.lowerBound, isDetail: true),
      Figure(name + "High", interval.upperBound, isDetail: true),
    ]
  }

  /// Returns the fraction of `whole` independent trials that succeeded, with its Wilson interval;
  /// 0 without trials.
  package static func fraction(_ name: String, _ successes: Double, of whole: Int) -> [Figure] {
    let proportion = Proportion(successes, of: whole)
    return bounded(name, proportion.fraction ?? 0, in: proportion.wilsonInterval())
  }

  /// Returns `part` ÷ `whole`, with the Wilson interval of as many trials as there are examples: it is
  /// too wide rather than too narrow, whatever the dependence of the parts of one example.
  package static func ratio(_ name: String, _ part: Int, of whole: Int, examples: Int) -> [Figure] {
    let ratio = Double(part) / Double(max(1, whole))
    return fraction(name, ratio * Double(examples), of: examples)
  }
}
