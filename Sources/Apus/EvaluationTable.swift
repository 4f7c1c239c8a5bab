import Files
import Monitoring

/// A table of models with the same figures: a line of values per model, below it the confidence
/// intervals where figures have one, then a legend and the differences between the models.
struct EvaluationTable {
  /// The names of the models.
  let models: [String]
  /// The figures of each model, the same ones in the same order.
  let figures: [[Figure]]

  /// The widest line.
  private static let width = 100

  /// The names of the columns: all figures except the bounds of others.
  private var columns: [String] {
    let names = figures[0].map(\.name)
    return names.filter { name in
      !["Low", "High"].contains {
        name.hasSuffix($0) && names.contains("\(name.dropLast($0.count))")
      }
    }
  }

  /// Returns the figure `name` of the model at `index`.
  private func value(_ name: String, _ index: Int) -> Double? {
    figures[index].first { $0.name == name }?.value
  }

  /// Returns the interval of the figure `name` of the model at `index`; nil for one without.
  private func interval(_ name: String, _ index: Int) -> ClosedRange<Double>? {
    guard let low = value(name + "Low", index), let high = value(name + "High", index) else {
      return nil
    }
    return low...high
  }

  /// The columns in groups, each of whose tables is as narrow as ``width`` if it has several.
  private var groups: [[String]] {
    var groups: [[String]] = []
    for name in columns {
      if let group = groups.last, lines(of: group + [name]).allSatisfy({ $0.count <= Self.width }) {
        groups[groups.count - 1].append(name)
      } else {
        groups.append([name])
      }
    }
    return groups
  }

  /// The lines of the table, or of several below each other where one would be too wide, an empty line
  /// and the legend.
  var lines: [String] {
    groups.map(lines).joined(separator: [""]) + [""] + FigureLegend.lines(of: columns)
  }

  /// Returns the lines of a table of `columns`.
  private func lines(of columns: [String]) -> [String] {
    var rows = [["model"] + columns]
    for (index, model) in models.enumerated() {
      rows.append(
        [model]
          + columns.map { name in
            let value = value(name, index) ?? .nan
            return FigureLegend.counts.contains(name) ? "\(Int(value))" : value.decimals(4)
          })
      let intervals = columns.map { interval($0, index) }
      guard intervals.contains(where: { $0 != nil }) else { continue }
      rows.append(
        ["  95 % interval"]
          + intervals.map { interval in
            interval.map { Self.text($0.lowerBound) + "–" + Self.text($0.upperBound) } ?? ""
          })
    }
    return TextTable.lines(of: rows, endAligned: true)
  }

  /// The result in one sentence, in lines: the figures that differ from one model to the next by
  /// more than their intervals; nil for one model, or figures without intervals.
  var result: [String]? {
    let unjudged = columns.filter { !FigureLegend.counts.contains($0) && interval($0, 0) == nil }
    guard models.count > 1, columns.contains(where: { interval($0, 0) != nil }) else { return nil }
    let changes = (1..<models.count).compactMap { index -> String? in
      let changed = columns.compactMap { name -> String? in
        guard let before = interval(name, index - 1), let after = interval(name, index),
          !before.overlaps(after), let from = value(name, index - 1), let to = value(name, index)
        else { return nil }
        return
          "\(name) \(from < to ? "rises" : "falls") from \(Self.text(from)) to \(Self.text(to))"
      }
      return changed.isEmpty
        ? nil
        : "from \(models[index - 1]) to \(models[index]) " + changed.joined(separator: ", ")
    }
    let judged =
      (changes.isEmpty
        ? "no figure with an interval differs from one model to the next"
        : changes.joined(separator: "; ") + "; no other figure with an interval differs")
      + " by more than its intervals"
    let sentence =
      judged
      + (unjudged.isEmpty
        ? "." : "; no interval is known of \(unjudged.joined(separator: ", ")).")
    return ("Result: " + sentence).wrapped(to: Self.width)
  }

  private static func text(_ fraction: Double) -> String { fraction.decimals(2) }
}
