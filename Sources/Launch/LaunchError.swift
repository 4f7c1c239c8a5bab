import Files
import Foundation

/// A launch that cannot begin.
package enum LaunchError: Error, Equatable, CustomStringConvertible {
  /// There is no `mpirun` in PATH.
  case noMpirun
  /// The ranks of this machine need more hardware threads than it has.
  case fewCores(ranks: Int, threads: Int, cores: Int)
  /// Another launch works on the run folder.
  case held(path: String, by: LaunchLock.Holder?)
  /// Another launch has taken the run folder over at the same time.
  case overtaken(path: String, by: LaunchLock.Holder?)
  /// The check before the first start has found and reported defects of these hosts.
  case defects(of: [String])

  /// One sentence: what, where, why, what to do.
  package var description: String {
    switch self {
    case .noMpirun:
      "mpirun is not in PATH; install Open MPI, with cluster/setup.sh on Debian or Ubuntu, or "
        + "correct PATH"
    case .fewCores(let ranks, let threads, let cores):
      "\(ranks) ranks with \(threads) threads each need \(ranks * threads) cores, and this machine "
        + "has \(cores); lower --ranks-per-host or --threads, or pass --oversubscribe to the command"
    case .held(let path, let holder):
      "another apus launch works on this run folder: \(path) is held by "
        + (holder.map { "process \($0.process) on \($0.host), since \(Self.time($0.start))" }
          ?? "a launch that begins at this moment")
        + "; wait for its end, or end it and use the "
        + "folder with --take-over"
    case .overtaken(let path, let holder):
      "another apus launch has taken this run folder over at the same time: \(path) is held by "
        + (holder.map { "process \($0.process) on \($0.host)" } ?? "it")
        + "; wait for its end, or take it over again"
    case .defects(let hosts):
      "no rank was started, because of the \(hosts.count == 1 ? "defect" : "defects") of "
        + "\(hosts.joined(separator: ", ")) above; mend it (apus doctor examines more), or start in "
        + "spite of it with --no-preflight"
    }
  }

  private static func time(_ seconds: Double) -> String {
    Date(timeIntervalSince1970: seconds).formatted(.iso8601)
  }
}
