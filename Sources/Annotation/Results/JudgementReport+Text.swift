import Files
import Foundation
import Statistics

extension JudgementReport {
  /// The report as text, with tables in columns.
  package var text: String {
    var lines = [
      "\(pairs, "pair"), \(annotators.reduce(0) { $0 + $1.count }, "judgement") by "
        + "\(annotators.count, "annotator")"
    ]
    if annotators.isEmpty { return lines[0] + "\n" }
    lines += ["", "Answers"] + answers
    lines += ["", "Position"] + [position]
    lines += ["", "Agreement"] + [agreementLine]
    if !winRates.isEmpty { lines += ["", "Win rates"] + wins }
    return lines.joined(separator: "\n") + "\n"
  }

  private var answers: [String] {
    let hasUnknownSides = annotators.contains { $0.unknownSide > 0 }
    let header =
      ["annotator", "left", "right"] + (hasUnknownSides ? ["side unknown"] : [])
      + ["tie", "both bad", "skip", "all"]
    return Self.table(
      [header]
        + annotators.map { row in
          [row.name, "\(row.left)", "\(row.right)"]
            + (hasUnknownSides ? ["\(row.unknownSide)"] : [])
            + ["\(row.tie)", "\(row.bothBad)", "\(row.skip)", "\(row.count)"]
        })
  }

  private var position: String {
    let left = leftFraction
    guard left.trials > 0 else { return "  no preference between a left and a right answer" }
    let p = BinomialTest.pValue(successes: Int(left.successes), trials: left.trials)
    return "  left in \(Self.formatted(left)) of \(left.trials, "preference"), "
      + "p = \(p.decimals(3)) for no bias"
  }

  private var agreementLine: String {
    guard let agreement else { return "  one annotator: nothing to compare" }
    let coverage = Proportion(agreement.shared, of: agreement.judged).fraction ?? 0
    let name = agreement.isFleiss ? "Fleiss'" : "Cohen's"
    let kappa = agreement.kappa.map { $0.decimals(3) } ?? "is not defined"
    return "  \(name) kappa \(kappa) over \(agreement.shared, "pair") judged by several, "
      + "\((100 * coverage).decimals(0)) % of \(agreement.judged)"
  }

  private var wins: [String] {
    Self.table(
      [["source", "rate, 95 % interval", "won", "lost", "pairs", "p for even"]]
        + winRates.map { row in
          [
            row.source, Self.formatted(row.rate), "\(row.wins)", "\(row.losses)",
            "\(row.rate.trials)", row.pValue.decimals(3),
          ]
        })
  }

  private static func formatted(_ proportion: Proportion) -> String {
    let interval = proportion.wilsonInterval()
    return "\((proportion.fraction ?? 0).decimals(3)) (\(interval.lowerBound.decimals(3))–"
      + "\(interval.upperBound.decimals(3)))"
  }

  /// Returns the rows with aligned columns: names on the left, figures on the right.
  private static func table(_ rows: [[String]]) -> [String] {
    let widths = rows[0].indices.map { column in
      rows.map { width(of: $0[column]) }.max() ?? 0
    }
    return rows.map { row in
      "  "
        + zip(row, widths).enumerated().map { column, cell in
          let space = String(repeating: " ", count: cell.1 - width(of: cell.0))
          return column == 0 ? cell.0 + space : space + cell.0
        }
        .joined(separator: "  ")
    }
  }

  private static func width(of text: String) -> Int {
    text.reduce(0) { $0 + WrappedText.columns(of: $1) }
  }
}
