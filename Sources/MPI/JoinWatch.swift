internal import Dispatch
internal import Glibc

/// Watches the other ranks while this one waits for them in `MPI_Init`.
///
/// MPI waits for ever for a rank that ends without joining, such as a command of this program
/// that runs on a single rank, for another program that never ends, and for a frozen process. The
/// watch ends this process with a sentence and exit code 2, or 75 when another start may succeed, and
/// `mpirun` then ends the others.
final class JoinWatch {
  /// Seconds after which a line says that ranks are missing.
  private static let patience = 10
  /// Seconds after which this process ends: another program will not join, and a slow host may.
  ///
  /// `apus launch` gives a limit, because another start costs less than waiting.
  private static let limit = (
    ofProgram: min(20, Int(StartLimit.seconds)),
    ofHost: StartLimit.isGiven ? Int(StartLimit.seconds) : 600
  )

  private let timer: any DispatchSourceTimer

  /// The findings of the checks so far.
  private final class Findings: @unchecked Sendable {
    // Sendable: only the timer's handler, one call after another, uses it.
    /// The checks in a row in which a rank had ended; `mpirun` starts ranks one after another.
    var misses = 0
    var hasWarned = false
  }

  /// Starts to watch; nil when `mpirun` did not start this process itself, so that its other ranks
  /// cannot be found.
  init?() {
    guard let launched = LaunchedRank.current, let ranks = launched.size, ranks > 1,
      let (own, size) = launched.local
    else { return nil }
    let (parent, key) = (getppid(), launched.localKey)
    guard launched.parents.contains(Self.name(of: parent)) else { return nil }
    let (findings, start) = (Findings(), DispatchTime.now())
    let stopped = Self.stopped
    let program = Self.name(of: getpid())
    timer = DispatchSource.makeTimerSource(queue: .global())
    timer.schedule(deadline: start + 2, repeating: 1)
    timer.setEventHandler {
      let present = Self.localRanks(of: parent, key: key)
      // The first rank that waits here speaks for all of its host.
      guard present.filter({ $0.value == program }).keys.min() == own else { return }
      let missing = (0..<size).first { present[$0] == nil }
      findings.misses = missing == nil ? 0 : findings.misses + 1
      if let missing, findings.misses > 1 {
        Self.end(Self.place(of: missing) + " ended before it joined the others")
      }
      let seconds = (DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1_000_000_000
      guard seconds >= min(Self.patience, Self.limit.ofProgram) else { return }
      if let frozen = present.filter({ $0.value == stopped }).keys.min(),
        seconds >= Self.limit.ofProgram
      {
        Self.end(
          "\(Self.place(of: frozen)) is stopped, and has not joined the others within \(seconds) "
            + "seconds", mayPass: true)
      }
      // Ranks of this host that run this program will join, however slow the host is.
      let other = present.filter { $0.value != program }.min { $0.key < $1.key }
      guard other != nil || size < ranks else { return }
      let subject =
        other.map { "\(Self.place(of: $0.key)) runs \($0.value), not apus, and" }
        ?? "a rank of another host"
      let limit = other == nil ? Self.limit.ofHost : Self.limit.ofProgram
      if seconds >= limit {
        Self.end(
          "\(subject) has not joined the others within \(limit) seconds",
          mayPass: other == nil && StartLimit.isGiven)
      }
      if !findings.hasWarned {
        StartLimit.report("\(subject) has not joined the others yet; they wait \(limit) seconds.")
      }
      findings.hasWarned = true
    }
    timer.resume()
  }

  private static func end(_ cause: String, mayPass: Bool = false) -> Never {
    StartLimit.report(
      mayPass
        ? "\(cause); the run ends with exit code 75, and the same command starts it again."
        : "\(cause): start every rank with the same command of apus.")
    _exit(mayPass ? 75 : 2)
  }

  /// Names the rank with the local number `rank`.
  private static func place(of rank: Int) -> String {
    return "rank number \(rank) of \(StartLimit.hostName), counted from 0,"
  }

  /// Returns the name of the program that `process` runs.
  private static func name(of process: pid_t) -> String {
    String(decoding: (contents("/proc/\(process)/comm") ?? []).prefix { $0 != 10 }, as: UTF8.self)
  }

  /// Ends the watch.
  func end() { timer.cancel() }

  /// The name that takes the place of a program's that is stopped by a signal.
  private static let stopped = "(stopped)"

  /// Returns the programs of the ranks that are children of the process `parent`, by the local
  /// number that follows `key` in their environments.
  private static func localRanks(of parent: pid_t, key: String) -> [Int: String] {
    let list = contents("/proc/\(parent)/task/\(parent)/children") ?? []
    let key = Array(key.utf8)
    var ranks: [Int: String] = [:]
    let children = String(decoding: list, as: UTF8.self).split(separator: " ")
    for child in children.compactMap({ pid_t($0) }) {
      for entry in (contents("/proc/\(child)/environ") ?? []).split(separator: 0)
      where entry.starts(with: key) {
        if let rank = Int(String(decoding: entry.dropFirst(key.count), as: UTF8.self)) {
          ranks[rank] = isStopped(child) ? stopped : name(of: child)
        }
      }
    }
    return ranks
  }

  /// True when a signal has stopped `process`: the state that follows its name is T.
  private static func isStopped(_ process: pid_t) -> Bool {
    let status = contents("/proc/\(process)/stat") ?? []
    return status.lastIndex(of: UInt8(ascii: ")")).map {
      status[$0...].dropFirst(2).first == UInt8(ascii: "T")
    } ?? false
  }

  private static func contents(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 14)
    while case let count = read(descriptor, &chunk, chunk.count), count > 0 {
      bytes += chunk[..<count]
    }
    return bytes
  }
}
