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
  /// The ordinary line of a step.
  static func line(_ report: StepReport, eta: Double?) -> String {
    var fields = [
      position(report), loss(report), "lr \(scientific(report.learningRate))",
      "norm \(fixed(report.gradientNorm, digits: 3))",
    ]
    fields += report.figures.filter { !$0.isDetail }.map {
      "\($0.name) \(fixed($0.value, digits: 4))"
    }
    fields.append(rate(report))
    if let peak = peak(report) { fields.append(peak) }
    fields.append("eta \(duration(eta))")
    return fields.joined(separator: "  ")
  }

  /// The live line of a step, at most `width` columns; it drops fields one by one as needed.
  static func live(_ report: StepReport, eta: Double?, width: Int) -> String {
    // Fields with a larger number are dropped first.
    var fields: [(text: String, priority: Int)] = [
      (position(report), 0), (loss(report), 1), (rate(report), 3), ("eta \(duration(eta))", 2),
    ]
    if let peak = peak(report) { fields.insert((peak, 4), at: 3) }
    for limit in stride(from: 4, through: 0, by: -1) {
      let line = fields.filter { $0.priority <= limit }.map(\.text).joined(separator: "  ")
      if line.utf8.count <= width { return line }
    }
    return String(position(report).prefix(max(0, width)))
  }

  /// The line of an evaluation; `totalSteps` is nil if unknown.
  static func line(_ report: EvaluationReport, totalSteps: Int?) -> String {
    var fields = [
      "eval  " + position(report.step, of: totalSteps),
      "validation loss \(fixed(report.validationLoss, digits: 5))",
    ]
    if let bits = report.bitsPerByte { fields.append("bits/byte \(fixed(bits, digits: 5))") }
    fields += report.figures.filter { !$0.isDetail }.map {
      "\($0.name) \(fixed($0.value, digits: 4))"
    }
    fields.append("\(fixed(report.seconds, digits: 3)) s")
    if report.isBest { fields.append("best") }
    return Terminal.printable(fields.joined(separator: "  "))
  }

  /// The line of an event; `totalSteps` is nil if unknown.
  static func line(_ report: EventReport, totalSteps: Int?) -> String {
    var fields = [report.kind.rawValue]
    if let step = report.step { fields.append(position(step, of: totalSteps)) }
    fields.append(report.sentence)
    return Terminal.printable(fields.joined(separator: "  "))
  }

  /// Formats seconds as 0:17, 1:02:03 or 2d 03h.
  static func duration(_ seconds: Double?) -> String {
    guard let seconds, seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "-:--" }
    let whole = Int(seconds.rounded())
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let (minutes, hours, days) = (whole / 60, whole / 3600, whole / 86400)
    if days > 0 { return "\(days)d \(two(hours % 24))h" }
    if hours > 0 { return "\(hours):\(two(minutes % 60)):\(two(whole % 60))" }
    return "\(minutes):\(two(whole % 60))"
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
    "loss \(fixed(report.loss, digits: 5))"
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
