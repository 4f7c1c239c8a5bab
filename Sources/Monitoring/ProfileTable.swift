import Files
import Foundation

extension ProfileReport {
  /// The operations, summed over the workers and averaged over the steps, the longest first.
  ///
  ///     operation                         calls     ms/step    time   GFLOP/s    GB/s   of peak
  ///     linear 768→3072 backward             24       512.1   23.1%     204.1             96%
  ///
  /// Milliseconds are the sum over all workers; with `waiting` they add up to wall time × workers.
  /// Rates are those of all workers together if all ran this operation. A matrix product is
  /// compared with the peak of matrix products, any other operation with that of memory; one that
  /// is much faster than memory found its operands in a cache or only passed them on.
  package var table: String {
    let threads = lanes.count { $0.computes }
    let steps = Double(self.steps.count)
    var totals: [String: Total] = [:]
    for lane in lanes where lane.computes {
      for span in lane.spans {
        let phase = span.phase == "backward" ? " backward" : ""
        totals[span.name + phase, default: Total()].add(span)
      }
    }
    let whole = seconds * Double(threads)
    var waiting = Total()
    waiting.seconds = max(0, whole - totals.values.reduce(0) { $0 + $1.seconds })
    var rows = totals.sorted { ($1.value.seconds, $0.key) < ($0.value.seconds, $1.key) }
    rows.append(("waiting", waiting))
    let width = max(34, rows.map(\.key.count).max() ?? 0)

    func line(_ cells: [String]) -> String {
      let widths = [8, 11, 8, 10, 8, 10]
      let numbers = zip(cells.dropFirst(), widths).map { $0.padded(to: -$1) }
      return (cells[0].padded(to: width) + numbers.joined()).trimmingTrailingSpaces
    }
    func percent(_ fraction: Double) -> String { String(format: "%.1f%%", 100 * fraction) }

    var lines = [
      "profile of steps \(self.steps.lowerBound)–\(self.steps.upperBound) on rank \(rank): "
        + String(format: "%.1f ms per step, ", 1e3 * seconds / steps)
        + "\(threads, "thread"); peaks "
        + String(
          format: "%.0f GFLOP/s in matrix products, %.1f GB/s of memory", peak.products / 1e9,
          peak.memory / 1e9),
      line(["operation", "calls", "ms/step", "time", "GFLOP/s", "GB/s", "of peak"]),
    ]
    for (name, total) in rows {
      let pace = Double(threads) / max(total.seconds, 1e-12)
      let isProduct = total.operations > 0
      let moves = !isProduct && total.bytes > 0
      let fraction =
        isProduct ? total.operations * pace / peak.products : total.bytes * pace / peak.memory
      lines.append(
        line([
          name, total.calls == 0 ? "" : String(format: "%.0f", (Double(total.calls) / steps)),
          String(format: "%.2f", 1e3 * total.seconds / steps), percent(total.seconds / whole),
          isProduct ? String(format: "%.1f", total.operations * pace / 1e9) : "",
          moves ? String(format: "%.1f", total.bytes * pace / 1e9) : "",
          isProduct || moves
            ? fraction > 1.2 && moves ? "cache" : String(format: "%.0f%%", 100 * fraction) : "",
        ]))
    }
    let operations = totals.values.reduce(0) { $0 + $1.operations }
    lines.append(
      "matrix products: " + String(format: "%.1f", operations / steps / 1e9)
        + " GFLOP per step, " + percent(operations / seconds / peak.products)
        + " of their peak over the whole step; trace: \(trace)")
    return lines.joined(separator: "\n")
  }

  private struct Total {
    var calls = 0
    var seconds = 0.0
    var operations = 0.0
    var bytes = 0.0

    mutating func add(_ span: Span) {
      calls += 1
      seconds += span.duration
      operations += span.operations
      bytes += span.bytes
    }
  }
}
