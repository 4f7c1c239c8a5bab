import Files

/// The facts of all hosts and what is wrong with them.
package struct Diagnosis: Codable, Sendable {
  /// Those that answered, under their names in the hostfile.
  package let hosts: [HostReport]
  /// Hosts that were asked.
  package let asked: Int
  /// Joined over hosts, defects first.
  package private(set) var findings: [Finding]
  /// The connections between the first host and each other one, or two ranks of a single host.
  package private(set) var links: [Link] = []

  package init(_ examinations: [Examination], findings: [Finding]) {
    hosts = examinations.compactMap { examination in
      examination.report.map { report in
        var report = report
        report.host = examination.host
        return report
      }
    }
    asked = examinations.count
    self.findings = Finding.joined(findings)
  }

  /// Adds the result of an exchange between the hosts.
  package mutating func add(_ exchange: (links: [Link], findings: [Finding])) {
    links = exchange.links
    findings = Finding.joined(findings + exchange.findings)
  }

  /// True when a run would fail or compute something wrong.
  package var hasDefect: Bool { findings.contains { $0.severity == .defect } }

  /// A table with a line per host, three lines per finding, and the verdict.
  package var lines: [String] {
    let heads = [
      "host", "cores", "free memory", "free /dev/shm", "fp32 a core", "bf16 a core",
      hosts.count > 1 ? "from first host" : "between ranks", "kernels",
    ]
    let rows = hosts.indices.map(row)
    return (hosts.isEmpty ? [] : table([heads] + rows)) + findings.flatMap(\.lines) + [
      verdict
    ]
  }

  private func row(_ place: Int) -> [String] {
    let host = hosts[place]
    let link = hosts.count == 1 ? links.first : place == 0 ? nil : links.dropFirst(place - 1).first
    func speed(_ precision: String) -> String {
      let median = host.arithmetic.products(in: precision)?.median ?? 0
      return median > 0 ? median.gigaflops : "–"
    }
    return [
      host.host, "\(host.cores.allowed.count)", host.memory.free.mebibytes,
      host.sharedMemory.free.mebibytes, speed("fp32"), speed("bf16"),
      link.map(\.speed) ?? "–",
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
    let place = "on \(asked, "host")"
    switch (defects, warnings) {
    case (0, 0): return "Nothing is wrong \(place)."
    case (0, _): return "No defect and \(warnings, "warning") \(place)."
    case (_, 0): return "\(defects, "defect") \(place): mend before a run."
    default: return "\(defects, "defect") and \(warnings, "warning") \(place): mend before a run."
    }
  }
}
