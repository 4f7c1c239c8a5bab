import Debugging
import Foundation

extension DebugCommand.Compare {
  /// One line of the table.
  private struct Line {
    let mark: String
    let name: String
    let text: String

    init(mark: String = "  ", name: String, text: String) {
      self.mark = mark
      self.name = name
      self.text = text
    }

    /// The three columns after the name.
    init(mark: String = "  ", name: String, _ error: String, _ relative: String, _ place: String) {
      let cells = [pad(error, 13, atStart: true), pad(relative, 8, atStart: true), place]
      self.init(mark: mark, name: name, text: cells.joined(separator: "  "))
    }

    init(_ row: DumpComparison.Row, isFirst: Bool) {
      let mark = isFirst ? "> " : "  "
      switch row.difference {
      case .values(let largest, let relative, let index):
        self.init(
          mark: mark, name: row.name, String(format: "%.1e", largest),
          String(format: "%.1e", relative), "\(index)")
      case .shapes(let a, let b):
        self.init(mark: mark, name: row.name, text: "\(a) ≠ \(b)")
      }
    }
  }

  /// Longest line, in characters.
  private static let columns = 100

  /// Prints the tensors over the tolerance, or all, and a summary.
  func printTable(_ comparison: DumpComparison) throws {
    let first = comparison.firstOver?.name
    let rows = comparison.rows.filter { all || !$0.isWithin }
    if !rows.isEmpty {
      let lines =
        [Line(name: "tensor", "largest error", "relative", "at")]
        + rows.map { Line($0, isFirst: $0.name == first) }
      let room = Self.columns - 4 - (lines.map { $0.text.count }.max() ?? 0)
      let width = min(room, lines.map { $0.name.count }.max() ?? 0)
      for line in lines {
        // The end of a path says more than its start.
        let name = line.name.count > width ? "…\(line.name.suffix(width - 1))" : line.name
        try StandardOutput.print("\(line.mark)\(pad(name, width))  \(line.text)")
      }
      try StandardOutput.print("")
    }
    try printSummary(comparison)
  }

  private func printSummary(_ comparison: DumpComparison) throws {
    let over = comparison.rows.count { !$0.isWithin }
    try StandardOutput.print(
      "\(comparison.rows.count) tensors in both files, \(over) of them over \(tolerance)")
    if let first = comparison.firstOver { try StandardOutput.print("first: \(first.name)") }
    for (path, names) in [
      (first, comparison.onlyInFirst), (second, comparison.onlyInSecond),
    ] where !names.isEmpty {
      try StandardOutput.print("only in \(path): \(names.count)")
      for name in all ? names : Array(names.prefix(5)) { try StandardOutput.print("  \(name)") }
      if !all, names.count > 5 { try StandardOutput.print("  … (all of them with --all)") }
    }
  }
}

private func pad(_ text: String, _ width: Int, atStart: Bool = false) -> String {
  let space = String(repeating: " ", count: max(0, width - text.count))
  return atStart ? space + text : text + space
}
