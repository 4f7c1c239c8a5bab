/// A fault of hosts, or of what lies between them, with its remedy.
package struct Finding: Codable, Equatable, Sendable {
  package enum Severity: String, Codable, Sendable {
    /// A run would fail, or compute something wrong.
    case defect
    /// A run works, but slower or with a risk.
    case warning
  }

  package let severity: Severity
  /// The hosts, in the order of the hostfile; empty for what lies between all of them.
  package private(set) var hosts: [String]
  /// The fault, without the name of the host; where joined findings differ, that of the first.
  package let what: String
  /// A name that findings of one kind share whose texts have figures of their host; nil where they
  /// are equal.
  package let kind: String?
  /// The reason why it matters.
  package let why: String
  /// The command or the change that mends it.
  package let remedy: String

  package init(
    _ severity: Severity, _ hosts: [String] = [], _ what: String, why: String, remedy: String,
    kind: String? = nil
  ) {
    self.kind = kind
    self.severity = severity
    self.hosts = hosts
    self.what = what
    self.why = why
    self.remedy = remedy
  }

  /// True for findings that differ in their hosts and figures only.
  private func isLike(_ other: Finding) -> Bool {
    severity == other.severity && why == other.why && remedy == other.remedy
      && (kind.map { $0 == other.kind } ?? (what == other.what))
  }

  /// Returns `findings` with like ones of several hosts joined, defects first.
  package static func joined(_ findings: [Finding]) -> [Finding] {
    var joined: [Finding] = []
    for finding in findings {
      if let place = joined.firstIndex(where: finding.isLike) {
        joined[place].hosts += finding.hosts.filter { !joined[place].hosts.contains($0) }
      } else {
        joined.append(finding)
      }
    }
    return joined.filter { $0.severity == .defect } + joined.filter { $0.severity == .warning }
  }

  /// One sentence without its end: hosts and fault, reason, remedy.
  package var sentence: String {
    let place = hosts.isEmpty ? "" : hosts.joined(separator: ", ") + ": "
    return "\(place)\(what); \(why); mend: \(remedy)"
  }

  /// Three lines: hosts and fault, reason, remedy.
  package var lines: [String] {
    let place = hosts.isEmpty ? "" : hosts.joined(separator: ", ") + ": "
    let figures = kind != nil && hosts.count > 1 ? " (on \(hosts[0]))" : ""
    return [
      "\(severity.rawValue): \(place)\(what)\(figures)", "  why:  \(why)", "  mend: \(remedy)",
    ]
  }
}
