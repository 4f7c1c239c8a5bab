/// A measured figure: the median over the turns, with the extremes.
struct BenchmarkFigure: Codable, Equatable {
  let name: String
  let title: String
  /// The summary of the benchmark; figures of equal name with different subjects measure other
  /// work.
  let subject: String
  let unit: String
  let higherIsBetter: Bool
  let median: Double
  let least: Double
  let most: Double
  /// One value per turn, in order.
  let values: [Double]
  /// The largest fraction of all cores that other programs used meanwhile.
  var otherLoad = 0.0
  /// The time of the measurement (ISO 8601).
  var date = ""
  var commit: String?

  init(
    name: String, title: String, subject: String, unit: String, higherIsBetter: Bool = true,
    values: [Double]
  ) {
    precondition(!values.isEmpty, "no values for \(name)")
    self.name = name
    self.title = title
    self.subject = subject
    self.unit = unit
    self.higherIsBetter = higherIsBetter
    self.values = values
    let sorted = values.sorted()
    median = values.median
    least = sorted[0]
    most = sorted[sorted.count - 1]
  }

  /// The change since the figure of an earlier run; nil if that measured other work.
  func change(since earlier: BenchmarkFigure?) -> Change? {
    guard let earlier, earlier.subject == subject, earlier.title == title, earlier.unit == unit,
      earlier.median != 0
    else { return nil }
    let ratio = median / earlier.median
    // Below two per cent the spread of a few turns is not significant.
    let isApart =
      (least > earlier.most || most < earlier.least) && abs(ratio - 1) >= 0.02
    return Change(
      ratio: ratio,
      verdict: !isApart ? .within : (ratio > 1) == higherIsBetter ? .better : .worse)
  }
}

/// The change of a figure since the last run.
struct Change: Equatable {
  enum Verdict {
    /// The values of the two runs overlap, or nearly.
    case within
    case better
    case worse
  }

  let ratio: Double
  let verdict: Verdict
}

extension [Double] {
  /// The middle value, or the mean of the middle two.
  var median: Double {
    let sorted = sorted()
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
  }
}
