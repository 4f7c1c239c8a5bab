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
    // The rank of a field: those of the highest rank are dropped first.
    var fields: [(text: String, rank: Int)] = [
      (position(report), 0), (loss(report), 1),
      ("lr \(scientific(report.learningRate))", 4),
      ("norm \(fixed(report.gradientNorm, digits: 3))", 5),
    ]
    for (index, figure) in report.figures.filter({ !$0.isDetail }).enumerated() {
      // A phase names its most telling figures first.
      fields.append(("\(figure.name) \(fixed(figure.value, digits: 4))", index < 2 ? 2 : 7 + index))
    }
    fields.append((rate(report), 6))
    if let peak = peak(report) { fields.append((peak, 100)) }
    fields.append(("eta \(Durations.text(eta))", 3))
    while true {
      let line = fields.map(\.text).joined(separator: "  ")
      if line.utf8.count <= width { return line }
      guard let highest = fields.map(\.rank).max(), highest > 0 else { break }
      fields.removeAll { $0.rank == highest }
    }
    return String(position(report).prefix(max(0, width)))
  }

  /// The line of an evaluation; `totalSteps` is nil if unknown.
  static func line(_ report: EvaluationReport, totalSteps: Int?) -> String {
    var fields = ["eval  " + position(report.step, of: totalSteps)]
    if let name = report.lossName {
      fields.append("\(name) \(fixed(report.validationLoss, digits: 5))")
    }
    if let bits = report.bitsPerByte { fields.append("bits/byte \(fixed(bits, digits: 5))") }
    fields += report.figures.filter { !$0.isDetail }.map {
      "\($0.name) \(fixed($0.value, digits: 4))"
    }
    fields.append("\(fixed(report.seconds, digits: 3)) s")
    if report.isBest { fields.append("best") }
    return fields.joined(separator: "  ").visible()
  }

  /// The line of an event; `totalSteps` is nil if unknown.
  static func line(_ report: EventReport, totalSteps: Int?) -> String {
    var fields = [report.kind.rawValue]
    if let step = report.step { fields.append(position(step, of: totalSteps)) }
    fields.append(report.sentence)
    return fields.joined(separator: "  ").visible()
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
      let text = String(format: "%.\(decimals)f", value.magnitude)
      if text.count <= digits + 1 {
        return value < 0 ? "-" + text : text.padded(to: -(digits + 1))
      }
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
    return "\(Int((fraction * 100).rounded()))%".padded(to: -3) + " of peak"
  }

  private static func scientific(_ value: Double) -> String {
    value.isFinite ? String(format: "%.1e", value) : "nan"
  }
}
