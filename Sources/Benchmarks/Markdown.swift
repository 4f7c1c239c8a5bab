import Foundation

/// The benchmark table of RESULTS.md.
enum Markdown {
  /// One row for every measurement of `benchmarks` that is not only the denominator of a ratio, and
  /// a paragraph on the machine and on how to repeat the measurements.
  static func table(_ report: Report, _ benchmarks: [Benchmark]) -> String {
    var lines = ["| what | figure | compared with | how |", "|---|--:|---|---|"]
    for benchmark in benchmarks {
      let compared = Set(benchmark.ratios.map(\.denominator))
      for measurement in benchmark.measurements where !compared.contains(measurement.name) {
        guard let figure = report.figure(measurement.name) else { continue }
        let memory = report.figure("\(measurement.name).memory").map {
          ", \(Table.number($0.median)) \($0.unit) of memory"
        }
        let cells = [
          figure.title, "\(Table.number(figure.median)) \(figure.unit)\(memory ?? "")",
          benchmark.ratios.filter { $0.numerator == measurement.name }
            .compactMap { comparison($0, report) }.joined(separator: "; "),
          benchmark.name,
        ]
        lines.append("| " + cells.joined(separator: " | ") + " |")
      }
    }
    return lines.joined(separator: "\n") + "\n\n" + place(report)
  }

  private static func comparison(_ ratio: Ratio, _ report: Report) -> String? {
    guard let figure = report.figure(ratio.name),
      let other = report.figure(ratio.denominator)
    else { return nil }
    let memory = report.figure("\(ratio.denominator).memory").map {
      "\(Table.number($0.median)) \($0.unit)"
    }
    let rate = "\(Table.number(other.median)) \(other.unit)"
    let whole = [ratio.isOfRates ? rate : nil, memory].compactMap(\.self).joined(separator: ", ")
    let number = { ratio.isOfLimit ? String(format: "%.0f", 100 * $0) : Table.number($0) }
    let unit = ratio.isOfLimit ? " % of " : " × "
    let quantity = ratio.isOfRates ? "" : "the \(ratio.quantity.key) of "
    return "\(number(figure.median))\(unit)\(quantity)\(ratio.against) "
      + "(\(number(figure.least))–\(number(figure.most)); \(whole))"
  }

  private static func place(_ report: Report) -> String {
    let machine = report.machine
    let versions = machine.versions.filter { $0.key != "products" && $0.key != "kernels" }
      .sorted { $0.key.lowercased() < $1.key.lowercased() }
      .map { $0.key == "MPI" ? $0.value : "\($0.key) \($0.value)" }
    let turns = report.figures.map(\.values.count).min() ?? 0
    let disturbed = report.figures.filter { $0.otherLoad > BenchmarkRunCommand.idleLoad }.count
    let warning =
      disturbed == 0
      ? "" : " **Other programs disturbed \(disturbed) figures: measure again.**"
    let dates = Set(report.figures.map { String($0.date.prefix(10)) }).sorted()
    return "\(machine.threads) threads of \(machine.processor) (\(machine.cores) cores), "
      + "\(machine.system), \(versions.joined(separator: ", ")); medians of \(turns) or more turns, "
      + "extremes in brackets; \(dates.joined(separator: ", ")). To repeat a row, run "
      + "`PYTHON=… make bench ARGS=\"--only NAME\"` with the name in the last column; PYTHON is an "
      + "interpreter with torch, transformers and tokenizers, for the comparisons only.\(warning)\n"
  }
}
