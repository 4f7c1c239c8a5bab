import Foundation

/// One measured figure: the median of some runs, with the extremes.
struct Measurement: Codable {
  let name: String
  let unit: String
  let median: Double
  let least: Double
  let most: Double

  init(_ name: String, unit: String, _ values: [Double]) {
    let sorted = values.sorted()
    self.name = name
    self.unit = unit
    median = sorted[sorted.count / 2]
    least = sorted[0]
    most = sorted[sorted.count - 1]
  }

  var line: String {
    let number = { (value: Double) in String(format: value < 100 ? "%8.2f" : "%8.0f", value) }
    return name.padding(toLength: 44, withPad: " ", startingAt: 0)
      + "\(number(median)) \(unit)   (\(number(least)) … \(number(most)))"
  }
}
