/// Columns of text.
package enum TextTable {
  /// Returns a line per row, with two spaces between columns that are as wide as their widest cell.
  ///
  /// - Parameter endAligned: True to align all columns but the first at their ends, as numbers are.
  package static func lines(of rows: [[String]], endAligned: Bool = false) -> [String] {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = zip(row, widths).enumerated().map { column, cell in
        cell.0.padded(to: endAligned && column > 0 ? -cell.1 : cell.1)
      }
      return cells.joined(separator: "  ").trimmingTrailingSpaces
    }
  }
}

extension String {
  /// Returns the text with spaces after it up to `width` characters, or before it up to −`width`.
  package func padded(to width: Int) -> String {
    let spaces = String(repeating: " ", count: max(0, abs(width) - count))
    return width < 0 ? spaces + self : self + spaces
  }

  package var trimmingTrailingSpaces: String {
    String(reversed().drop { $0 == " " }.reversed())
  }
}
