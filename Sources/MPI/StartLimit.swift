internal import Dispatch
internal import Glibc

/// The time within which the ranks of a starting run must find each other, before a watchdog with
/// signs in the run folder can tell which of them is frozen.
package enum StartLimit {
  /// Seconds that a rank waits for others in one call: `APUS_START_LIMIT`, by default 120.
  package static let seconds = given ?? 120
  /// True when the variable is set, as it is under `apus launch`.
  static let isGiven = given != nil

  private static let given = getenv("APUS_START_LIMIT").flatMap { Double(String(cString: $0)) }
    .flatMap { 1...1e6 ~= $0 ? $0 : nil }

  /// The last collective call that was seen, and the moment at which it was seen first.
  private final class Observed: @unchecked Sendable {
    // Sendable: only the timer's handler, one call after another, uses it.
    var progress = CollectiveProgress.now
    var since = DispatchTime.now().uptimeNanoseconds
  }

  /// Calls `body`, and ends this process with exit code 75 when a collective call in it does not
  /// complete within ``seconds``; `mpirun` then ends the other ranks.
  package static func watching<Result>(_ body: () throws -> Result) rethrows -> Result {
    let observed = Observed()
    let timer = DispatchSource.makeTimerSource(queue: .global())
    timer.schedule(deadline: .now() + 1, repeating: 1)
    timer.setEventHandler {
      let (progress, now) = (CollectiveProgress.now, DispatchTime.now().uptimeNanoseconds)
      guard let function = progress.function, progress == observed.progress else {
        (observed.progress, observed.since) = (progress, now)
        return
      }
      let waited = Double(now - observed.since) / 1e9
      guard waited >= seconds else { return }
      let rank = LaunchedRank.current.map { "rank \($0.rank)" } ?? "this rank"
      report(
        "\(rank) on \(hostName) has waited \(Int(waited)) seconds in \(function) before the run "
          + "began, so another rank is frozen or its host lost; the run ends with exit code 75, and "
          + "the same command starts it again.")
      _exit(75)
    }
    timer.resume()
    defer { timer.cancel() }
    return try body()
  }

  /// The name of this host.
  static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Writes a sentence to standard error, also where Swift's streams are not ready.
  static func report(_ sentence: String) {
    "apus: \(sentence)\n".utf8CString.withUnsafeBytes {
      _ = write(STDERR_FILENO, $0.baseAddress, $0.count - 1)
    }
  }
}
