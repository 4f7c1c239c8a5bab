/// One figure: the median over the turns, with the extremes.
struct Figure: Codable, Equatable {
  let name: String
  let title: String
  /// The benchmark's summary: the same name measures other work where this differs.
  let subject: String
  let unit: String
  let higherIsBetter: Bool
  let median: Double
  let least: Double
  let most: Double
  /// One value a turn, in order.
  let values: [Double]
  /// The largest share of the cores that other programs took meanwhile.
  var otherLoad = 0.0
  /// When it was measured, and on which commit.
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

  /// How this figure stands to that of an earlier run; nil when that measured something else.
  func change(since earlier: Figure?) -> Change? {
    guard let earlier, earlier.subject == subject, earlier.title == title, earlier.unit == unit,
      earlier.median != 0
    else { return nil }
    let ratio = median / earlier.median
    // Below two per cent the spread of a few turns says nothing.
    let isApart =
      (least > earlier.most || most < earlier.least) && abs(ratio - 1) >= 0.02
    return Change(
      ratio: ratio,
      verdict: !isApart ? .within : (ratio > 1) == higherIsBetter ? .better : .worse)
  }
}

/// A figure ÷ that of the last run.
struct Change: Equatable {
  enum Verdict {
    /// The two runs' values overlap, or nearly.
    case within
    case better
    case worse
  }

  let ratio: Double
  let verdict: Verdict
}

extension [Double] {
  /// The middle one, or the mean of the middle two.
  var median: Double {
    let sorted = sorted()
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
  }
}
