import Foundation
import Monitoring

/// Figures as plain text, at most 100 columns wide.
enum Table {
  static let width = 100
  static let titleWidth = 50

  static let heading = row("", "median", "unit", "least … most", "÷ last")

  /// The row of `figure`, with its change since `earlier`.
  static func line(_ figure: BenchmarkFigure, since earlier: BenchmarkFigure?) -> String {
    let change = figure.change(since: earlier).map { change in
      number(change.ratio)
        + [.within: " ", .better: "▲", .worse: "▼"][change.verdict, default: " "]
    }
    return row(
      figure.title, number(figure.median), figure.unit,
      "\(number(figure.least)) … \(number(figure.most))", change ?? "")
  }

  /// Formats `value` with at least three significant digits.
  static func number(_ value: Double) -> String {
    String(format: abs(value) < 9.995 ? "%.2f" : abs(value) < 99.95 ? "%.1f" : "%.0f", value)
  }

  private static func row(
    _ title: String, _ median: String, _ unit: String, _ spread: String, _ change: String
  ) -> String {
    let cells = [
      title.padded(to: titleWidth), median.padded(to: -8), unit.padded(to: 8),
      spread.padded(to: -19), change.padded(to: -8),
    ]
    return cells.joined(separator: " ").trimmingTrailingSpaces
  }
}
