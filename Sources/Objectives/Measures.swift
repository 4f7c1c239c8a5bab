/// Sums and counts of everything that objectives observe; those of several micro-batches are added,
/// in the order of the micro-batches, and divided at the end.
public struct Measures: Sendable, Equatable {
  private var sums: [Double]
  private var counts: [Double]

  /// Nothing observed yet.
  public init() {
    sums = Array(repeating: 0, count: Measure.allCases.count)
    counts = sums
  }

  /// Observes `value`, `weight` times.
  public mutating func add(_ value: Double, to measure: Measure, weight: Double = 1) {
    let place = measure.rawValue
    if measure.isLargest {
      sums[place] = counts[place] > 0 ? max(sums[place], value) : value
    } else {
      sums[place] += weight * value
    }
    counts[place] += weight
  }

  /// The mean of what was observed of `measure`, or the largest where that is meant; nil for nothing.
  public subscript(measure: Measure) -> Double? {
    let (sum, count) = (sums[measure.rawValue], counts[measure.rawValue])
    guard count > 0 else { return nil }
    return measure.isLargest ? sum : sum / count
  }

  /// How much was observed of `measure`.
  public func count(of measure: Measure) -> Double { counts[measure.rawValue] }

  /// Both together.
  public static func + (a: Measures, b: Measures) -> Measures {
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

  /// What has been observed and is to be seen, in the order of `Measure`, and what follows from it.
  public var figures: [(name: String, value: Double, isDetail: Bool)] {
    var figures = Measure.allCases.filter(\.isReported).compactMap { measure in
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
  /// Observes what a value head should have predicted, and by how much it is more than that.
  public mutating func addReturn(_ value: Double, error: Double) {
    add(value, to: .returns)
    add(value * value, to: .squaredReturns)
    add(error, to: .valueError)
    add(error * error, to: .squaredValueError)
  }

  /// Observes an answer of a rollout.
  ///
  /// - Parameters:
  ///   - reward: What it was given.
  ///   - length: Its tokens.
  ///   - ended: Whether it ended by itself.
  public mutating func addAnswer(reward: Double, length: Int, ended: Bool) {
    let length = Double(length)
    add(reward, to: .reward)
    add(reward * reward, to: .squaredReward)
    add(length, to: .length)
    add(length * length, to: .squaredLength)
    add(reward * length, to: .rewardLength)
    add(ended ? 1 : 0, to: .ended)
  }
}

/// As plain numbers, to be sent to other ranks.
extension Measures {
  /// How many numbers there are.
  public static var numberCount: Int { 2 * Measure.allCases.count }

  /// Sum and count of every measure, in the order of `Measure`.
  public var numbers: [Double] { zip(sums, counts).flatMap { [$0, $1] } }

  /// The measures whose `numbers` these are.
  public init(numbers: some RandomAccessCollection<Double>) {
    precondition(
      numbers.count == Measures.numberCount,
      "\(numbers.count) numbers for \(Measure.allCases.count) measures")
    let numbers = Array(numbers)
    sums = stride(from: 0, to: numbers.count, by: 2).map { numbers[$0] }
    counts = stride(from: 1, to: numbers.count, by: 2).map { numbers[$0] }
  }
}

/// What follows from several measures.
extension Measures {
  /// 1 − Var(return − prediction) ÷ Var(return): 1 for a perfect value head, 0 for a constant one;
  /// nil where no return was observed or all are equal.
  public var explainedVariance: Double? {
    guard let returns = variance(.returns, .squaredReturns), returns > 0,
      let errors = variance(.valueError, .squaredValueError)
    else { return nil }
    return 1 - errors / returns
  }

  /// Pearson's correlation of reward and length over the answers; nil where one of them is constant.
  public var rewardLengthCorrelation: Double? {
    guard let rewards = variance(.reward, .squaredReward), rewards > 0,
      let lengths = variance(.length, .squaredLength), lengths > 0,
      let product = self[.rewardLength], let reward = self[.reward], let length = self[.length]
    else { return nil }
    return max(-1, min(1, (product - reward * length) / (rewards * lengths).squareRoot()))
  }

  /// Standard deviation of the answers' rewards; nil for no answer.
  public var rewardDeviation: Double? { variance(.reward, .squaredReward)?.squareRoot() }

  /// The mean square less the square of the mean; 0 where rounding alone is left.
  private func variance(_ first: Measure, _ second: Measure) -> Double? {
    guard let mean = self[first], let square = self[second] else { return nil }
    let variance = square - mean * mean
    return variance > 1e-12 * square ? variance : 0
  }
}
