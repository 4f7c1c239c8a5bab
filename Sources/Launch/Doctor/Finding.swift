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
  /// The fault, without the name of the host.
  package let what: String
  /// The reason why it matters.
  package let why: String
  /// The command or the change that mends it.
  package let remedy: String

  package init(
    _ severity: Severity, _ hosts: [String] = [], _ what: String, why: String, remedy: String
  ) {
    self.severity = severity
    self.hosts = hosts
    self.what = what
    self.why = why
    self.remedy = remedy
  }

  /// Returns `findings` with equal ones of several hosts joined, defects first.
  package static func joined(_ findings: [Finding]) -> [Finding] {
    var joined: [Finding] = []
    for finding in findings {
      let place = joined.firstIndex {
        $0.severity == finding.severity && $0.what == finding.what && $0.why == finding.why
          && $0.remedy == finding.remedy
      }
      if let place {
        joined[place].hosts += finding.hosts.filter { !joined[place].hosts.contains($0) }
      } else {
        joined.append(finding)
      }
    }
    return joined.filter { $0.severity == .defect } + joined.filter { $0.severity == .warning }
  }

  /// Three lines: hosts and fault, reason, remedy.
  package var lines: [String] {
    let place = hosts.isEmpty ? "" : hosts.joined(separator: ", ") + ": "
    return ["\(severity.rawValue): \(place)\(what)", "  why:  \(why)", "  mend: \(remedy)"]
  }
}
