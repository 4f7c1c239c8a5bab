/// Sums and counts of every `Measure`; those of several micro-batches are added in the order of the
/// micro-batches and divided at the end.
package struct Measures: Sendable, Equatable {
  private var sums: [Double]
  private var counts: [Double]

  /// Measures without any observation.
  package init() {
    sums = Array(repeating: 0, count: Measure.allCases.count)
    counts = sums
  }

  /// Adds the observation `value` with `weight`.
  package mutating func add(_ value: Double, to measure: Measure, weight: Double = 1) {
    let place = measure.rawValue
    if measure.isLargest {
      sums[place] = counts[place] > 0 ? max(sums[place], value) : value
    } else {
      sums[place] += weight * value
    }
    counts[place] += weight
  }

  /// The weighted mean of `measure`, or its largest observation if `isLargest`; nil without any.
  package subscript(measure: Measure) -> Double? {
    let (sum, count) = (sums[measure.rawValue], counts[measure.rawValue])
    guard count > 0 else { return nil }
    return measure.isLargest ? sum : sum / count
  }

  /// Returns the sum of the weights of the observations of `measure`.
  package func count(of measure: Measure) -> Double { counts[measure.rawValue] }

  /// Combines two sets of observations.
  package static func + (a: Measures, b: Measures) -> Measures {
    var sum = a
    for measure in Measure.allCases where b.counts[measure.rawValue] > 0 {
      let place = measure.rawValue
      if measure.isLargest {
        sum.sums[place] =
          a.counts[place] > 0 ? max(a.sums[place], b.sums[place]) : b.sums[place]
      } else {
        sum.sums[place] += b.sums[place]
      }
      sum.counts[place] += b.counts[place]
    }
    return sum
  }

  /// The observed figures that are reported, the most telling ones of an alignment first, then in
  /// the order of `Measure`; then the derived ones.
  package var figures: [(name: String, value: Double, isDetail: Bool)] {
    let first: [Measure] = [.reward, .sequenceKL]
    let order = first + Measure.allCases.filter { !first.contains($0) }
    var figures = order.filter(\.isReported).compactMap { measure in
      self[measure].map { (measure.name, $0, measure.isDetail) }
    }
    if let explained = explainedVariance { figures.append(("explainedVariance", explained, true)) }
    if let correlation = rewardLengthCorrelation {
      figures.append(("rewardLengthCorrelation", correlation, true))
    }
    return figures
  }
}

extension Measures {
  /// Adds a return and the error of its prediction, return − value.
  package mutating func addReturn(_ value: Double, error: Double) {
    add(value, to: .returns)
    add(value * value, to: .squaredReturns)
    add(error, to: .valueError)
    add(error * error, to: .squaredValueError)
  }

  /// Adds a completion of a rollout.
  ///
  /// - Parameters:
  ///   - reward: The reward of the completion.
  ///   - length: Number of tokens.
  ///   - ended: True when it ended with the end token.
  package mutating func addCompletion(reward: Double, length: Int, ended: Bool) {
    let length = Double(length)
    add(reward, to: .reward)
    add(reward * reward, to: .squaredReward)
    add(length, to: .length)
    add(length * length, to: .squaredLength)
    add(reward * length, to: .rewardLength)
    add(ended ? 1 : 0, to: .ended)
  }
}

/// Serialisation as plain numbers, for messages between ranks.
extension Measures {
  /// The length of `numbers`.
  package static var numberCount: Int { 2 * Measure.allCases.count }

  /// Sum and count of every measure, in the order of `Measure`.
  package var numbers: [Double] { zip(sums, counts).flatMap { [$0, $1] } }

  /// The measures with these `numbers`.
  package init(numbers: some RandomAccessCollection<Double>) {
    precondition(
      numbers.count == Measures.numberCount,
      "\(numbers.count) numbers for \(Measure.allCases.count) measures")
    let numbers = Array(numbers)
    sums = stride(from: 0, to: numbers.count, by: 2).map { numbers[$0] }
    counts = stride(from: 1, to: numbers.count, by: 2).map { numbers[$0] }
  }
}

/// Figures derived from several measures.
extension Measures {
  /// 1 − Var(return − value) ÷ Var(return): 1 for a perfect value head, 0 for a constant one; nil
  /// when no return was observed or all are equal.
  package var explainedVariance: Double? {
    guard let returns = variance(.returns, .squaredReturns), returns > 0,
      let errors = variance(.valueError, .squaredValueError)
    else { return nil }
    return 1 - errors / returns
  }

  /// Pearson's correlation of reward and length over the completions; nil when one is constant.
  package var rewardLengthCorrelation: Double? {
    guard let rewards = variance(.reward, .squaredReward), rewards > 0,
      let lengths = variance(.length, .squaredLength), lengths > 0,
      let product = self[.rewardLength], let reward = self[.reward], let length = self[.length]
    else { return nil }
    return max(-1, min(1, (product - reward * length) / (rewards * lengths).squareRoot()))
  }

  /// Standard deviation of the completions' rewards; nil without completions.
  package var rewardStd: Double? { variance(.reward, .squaredReward)?.squareRoot() }

  /// Returns the mean square minus the square of the mean; 0 when the difference is only rounding.
  private func variance(_ first: Measure, _ second: Measure) -> Double? {
    guard let mean = self[first], let square = self[second] else { return nil }
    let variance = square - mean * mean
    return variance > 1e-12 * square ? variance : 0
  }
}
