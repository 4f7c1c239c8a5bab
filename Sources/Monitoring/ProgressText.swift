import Files
import Foundation

/// Reports as lines of a log.
///
///     step  1200/2000  loss 1.5123  lr 4.2e-04  norm 0.71  21.3k tok/s  64% of peak  eta 0:17
///     eval  1200/2000  validation loss 1.4982  bits/byte 2.1615  12.3 s  best
///     checkpoint  1200/2000  Saved runs/a/checkpoints/step-00001200.
///
/// Every field keeps its width over a run, so that the lines are aligned; the first word is the
/// kind of the line, for grep.
enum ProgressText {
  /// The line of a step, at most `width` columns; it drops fields one by one as needed.
  static func line(_ report: StepReport, eta: Double?, width: Int = 100) -> String {
    // The loss of a policy says less than its reward.
    let lossOrder = report.lossName == "loss" ? 1 : 7
    func fields(peak: String?, power: String? = nil) -> [Field] {
      var fields: [Field] = [
        (position(report), 0), (loss(report), lossOrder),
        ("lr \(scientific(report.learningRate))", 9),
        ("norm \(fixed(report.gradientNorm, digits: 3))", 8),
      ]
      for (index, figure) in report.figures.filter({ !$0.isDetail }).enumerated() {
        // A phase names its most telling figures first.
        let order = index == 0 ? 2 : index == 1 ? 6 : 8 + index
        fields.append(("\(figure.name) \(fixed(figure.value, digits: 4))", order))
      }
      fields.append((rate(report), 4))
      if let peak { fields.append((peak, 5)) }
      if let power { fields.append((power, 10)) }
      fields.append(("eta \(Durations.text(eta))", 3))
      return fields
    }
    let peak = peak(report)
    // The power is shown where it takes no room from other fields.
    for power in [report.energy.map { "\(short($0.watts)) W" }, nil] {
      let whole = fields(peak: peak.map { $0 + " of peak" }, power: power)
        .map(\.text).joined(separator: "  ")
      if whole.utf8.count <= width { return whole }
    }
    return fitted(fields(peak: peak.map { $0 + " peak" }), width)
      ?? String(position(report).prefix(max(0, width)))
  }

  /// The text of a field, and its place in the order in which fields are kept: the last are dropped first.
  private typealias Field = (text: String, order: Int)

  /// Returns the line of the `fields` that fit `width` columns, in their order;
  /// nil when those of order 0 do not.
  private static func fitted(_ fields: [Field], _ width: Int) -> String? {
    var kept: Set<Int> = []
    var line = ""
    for index in fields.indices.sorted(by: { (fields[$0].order, $0) < (fields[$1].order, $1) }) {
      let wider = fields.indices.filter { $0 == index || kept.contains($0) }
        .map { fields[$0].text }.joined(separator: "  ")
      if wider.utf8.count <= width {
        kept.insert(index)
        line = wider
      } else if fields[index].order == 0 {
        return nil
      }
    }
    return line
  }

  /// The line of an evaluation; `totalSteps` is nil if unknown.
  static func line(_ report: EvaluationReport, totalSteps: Int?) -> String {
    // The figures, later ones before earlier ones, give way to a line of 100 columns.
    var fields: [Field] = [
      ("eval  " + position(report.step, of: totalSteps), 0)
    ]
    if let name = report.lossName {
      fields.append(("\(name) \(fixed(report.validationLoss, digits: 5))", 0))
    }
    if let bits = report.bitsPerByte { fields.append(("bits/byte \(fixed(bits, digits: 5))", 0)) }
    for (index, figure) in report.figures.filter({ !$0.isDetail }).enumerated() {
      fields.append(("\(figure.name) \(fixed(figure.value, digits: 4))", index + 1))
    }
    fields.append(("\(fixed(report.seconds, digits: 3)) s", 0))
    if report.isBest { fields.append(("best", 0)) }
    let whole = fields.map(\.text).joined(separator: "  ")
    return (fitted(fields, 100) ?? whole).visible()
  }

  /// The line of an event, wrapped at 100 columns.
  ///
  /// - Parameters:
  ///   - totalSteps: The number of steps of the run; nil if unknown.
  ///   - seconds: The duration of the run, at its end.
  static func line(_ report: EventReport, totalSteps: Int?, seconds: Double? = nil) -> String {
    var fields = [report.kind.rawValue]
    if let step = report.step { fields.append(position(step, of: totalSteps)) }
    let head = fields.joined(separator: "  ").visible() + "  "
    let (width, indentation) = (100, "    ")
    var lines = report.sentence.visible()
      .wrapped(to: width - indentation.count, after: head.count - indentation.count)
    if let seconds {
      let end = "  after " + Durations.text(seconds)
      let used = lines.count == 1 ? head.count : indentation.count
      if used + lines[lines.count - 1].count + end.count <= width {
        lines[lines.count - 1] += end
      } else {
        lines.append(String(end.dropFirst(2)))
      }
    }
    return head + lines.joined(separator: "\n" + indentation)
  }

  /// Formats a count with three digits and a suffix, five columns wide: `  231`, `21.3k`, ` 213k`.
  static func short(_ value: Double) -> String {
    guard value.isFinite, value.magnitude < 1e15 else { return "    -" }
    var (scaled, letter) = (value, "")
    // 999.5 would round to 1000, which is one column too wide.
    for next in ["k", "M", "G", "T"] where scaled.magnitude >= 999.5 {
      (scaled, letter) = (scaled / 1000, next)
    }
    let text = letter.isEmpty ? "\(Int(scaled.rounded()))" : fixed(scaled, digits: 3) + letter
    return text.padded(to: -5)
  }

  /// Formats a number with at most `digits` digits, before and after the point together.
  ///
  /// With 5 digits: 1.5123, 10.912, 1234.5, all six columns wide.
  static func fixed(_ value: Double, digits: Int) -> String {
    guard value.isFinite else {
      return (value.isNaN ? "nan" : value > 0 ? "inf" : "-inf").padded(to: -(digits + 1))
    }
    for decimals in stride(from: digits - 1, through: 0, by: -1) {
      let text = value.decimals(decimals)
      let width = digits + (text.hasPrefix("-") ? 2 : 1)
      if text.count <= width { return text.padded(to: -(digits + 1)) }
    }
    return scientific(value)
  }

  private static func position(_ report: StepReport) -> String {
    "step  " + position(report.step, of: report.totalSteps)
  }

  private static func position(_ step: Int, of total: Int?) -> String {
    guard let total else { return String(step) }
    return String(step).padded(to: -String(total).count) + "/\(total)"
  }

  private static func loss(_ report: StepReport) -> String {
    "\(report.lossName) \(fixed(report.loss, digits: 5))"
  }

  private static func rate(_ report: StepReport) -> String {
    "\(short(report.tokensPerSecond)) tok/s"
  }

  private static func peak(_ report: StepReport) -> String? {
    guard let fraction = report.peakFraction, fraction.isFinite, fraction.magnitude < 10 else {
      return nil
    }
    return "\(Int((fraction * 100).rounded()))%".padded(to: -3)
  }

  private static func scientific(_ value: Double) -> String {
    value.isFinite ? String(format: "%.1e", value) : "nan"
  }
}
