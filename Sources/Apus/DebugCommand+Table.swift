import Debugging
import Files
import Foundation

extension DebugCommand.Compare {
  /// Width of the table.
  private static let columns = 100

  /// Prints the tensors over the tolerance, or all, then a summary.
  func printTable(_ comparison: DumpComparison) throws {
    let rows = comparison.rows.filter { all || !$0.isWithin }
    if !rows.isEmpty {
      let names = ["tensor"] + rows.map { $0.name.visible() }
      let texts = [Self.cells("largest error", "relative", "at")] + rows.map(Self.text)
      let room = Self.columns - 4 - (texts.map(\.count).max() ?? 0)
      let width = min(room, names.map(\.count).max() ?? 0)
      let marks = [false] + rows.map { $0.name == comparison.firstOver?.name }
      for (isFirst, (name, text)) in zip(marks, zip(names, texts)) {
        // The end of a path says more than its start.
        let end = name.count > width ? "…\(name.suffix(width - 1))" : name
        try StandardOutput.print("\(isFirst ? ">" : " ") \(end.padded(to: width))  \(text)")
      }
      try StandardOutput.print("")
    }
    try printSummary(comparison)
  }

  private static func text(of row: DumpComparison.Row) -> String {
    switch row.difference {
    case .values(let largest, let relative, let index):
      cells(String(format: "%.1e", largest), String(format: "%.1e", relative), "\(index)")
    case .shapes(let a, let b): "\(a) ≠ \(b)"
    }
  }

  private static func cells(_ error: String, _ relative: String, _ place: String) -> String {
    "\(error.padded(to: -13))  \(relative.padded(to: -8))  \(place)"
  }

  private func printSummary(_ comparison: DumpComparison) throws {
    let over = comparison.rows.count { !$0.isWithin }
    try StandardOutput.print(
      "\(comparison.rows.count, "tensor") in both files, \(over) of them over \(tolerance)")
    if let first = comparison.firstOver {
      try StandardOutput.print("first: \(first.name.visible())")
    }
    for (path, names) in [
      (first, comparison.onlyInFirst), (second, comparison.onlyInSecond),
    ] where !names.isEmpty {
      try StandardOutput.print("only in \(path): \(names.count)")
      for name in all ? names : Array(names.prefix(5)) {
        try StandardOutput.print("  \(name.visible())")
      }
      if !all, names.count > 5 { try StandardOutput.print("  … (all of them with --all)") }
    }
  }
}
