import Files

/// The facts of all hosts and what is wrong with them.
package struct Diagnosis: Codable, Sendable {
  package let hosts: [HostReport]
  /// Joined over hosts, defects first.
  package let findings: [Finding]

  package init(_ hosts: [HostReport], findings: [Finding]) {
    self.hosts = hosts
    self.findings = Finding.joined(findings)
  }

  /// True when a run would fail or compute something wrong.
  package var hasDefect: Bool { findings.contains { $0.severity == .defect } }

  /// A table with a line per host, three lines per finding, and the verdict.
  package var lines: [String] {
    let rows = [
      ["host", "cores", "free memory", "free /dev/shm", "fp32 a core", "bf16 a core", "kernels"]
    ]
    return table(rows + hosts.map(row)) + findings.flatMap(\.lines) + [verdict]
  }

  private func row(_ host: HostReport) -> [String] {
    func speed(_ precision: String) -> String {
      let median = host.arithmetic.products(in: precision)?.median ?? 0
      return median > 0 ? median.gigaflops : "–"
    }
    return [
      host.host, "\(host.cores.allowed.count)", host.memory.free.mebibytes,
      host.sharedMemory.free.mebibytes, speed("fp32"), speed("bf16"),
      "\(host.arithmetic.level), \(host.arithmetic.blasCore)",
    ]
  }

  private func table(_ rows: [[String]]) -> [String] {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
        .joined(separator: "  ").trimmed
    }
  }

  /// One sentence.
  private var verdict: String {
    let defects = findings.count { $0.severity == .defect }
    let warnings = findings.count - defects
    let place = "on \(hosts.count, "host")"
    switch (defects, warnings) {
    case (0, 0): return "Nothing is wrong \(place)."
    case (0, _): return "No defect and \(warnings, "warning") \(place)."
    case (_, 0): return "\(defects, "defect") \(place): mend before a run."
    default: return "\(defects, "defect") and \(warnings, "warning") \(place): mend before a run."
    }
  }
}
