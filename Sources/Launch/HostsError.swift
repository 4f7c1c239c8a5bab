import Files

/// A list of hosts that cannot be read.
package enum HostsError: Error, Equatable, CustomStringConvertible {
  /// The hostfile or the discovery script at `path`.
  case unreadable(path: String, reason: String)
  /// A line, or a part of a list, with the reason and what to do.
  case badLine(place: String, text: String, reason: String, remedy: String)
  /// A source without a host.
  case empty(source: String)
  /// A variable of Slurm.
  case badVariable(name: String, value: String, reason: String)
  /// A discovery script that failed.
  case discovery(script: String, reason: String)

  /// One sentence: what, where, why, what to do.
  package var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "the hosts in \(path) cannot be read: \(reason); correct the path, or write a file with a "
        + "line for each host, as in node-a slots=2"
    case .badLine(let place, let text, let reason, let remedy):
      "\(place): '\(text)' is no host that apus launch can use, because \(reason); \(remedy)"
    case .empty(let source):
      "\(source) names no host; write a line for each, as in node-a slots=2"
    case .badVariable(let name, let value, let reason):
      "Slurm's variable \(name)=\(value) gives no hosts, because \(reason); start the command in "
        + "an allocation (sbatch, salloc), or give --hosts or --hostfile"
    case .discovery(let script, let reason):
      "the discovery script \(script) gave no hosts: \(reason); it must print a line for each host, "
        + "as in node-a slots=2, and exit with 0 within \(Hosts.discoverySeconds) seconds"
    }
  }
}
