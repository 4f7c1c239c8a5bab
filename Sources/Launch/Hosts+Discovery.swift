import Files
import Foundation
import Glibc
import Processes

extension Hosts {
  /// The time that a discovery script may take, in seconds.
  static let discoverySeconds = 20
  /// The most bytes that a discovery script may print.
  private static let mostBytes = 1 << 24

  /// The hosts that a discovery script prints, in lines of a hostfile or of the form `host:slots`.
  ///
  /// The script is asked before every start, and its answer may change.
  ///
  /// - Parameter ranks: The ranks of every host, in place of its slots; nil when each must have slots.
  package init(discoveredBy script: String, ranks: Int? = nil) throws(HostsError) {
    let output: String
    do {
      output = try Self.output(of: script)
    } catch let error as HostsError {
      throw error
    } catch {
      throw .discovery(script: script, reason: error.localizedDescription)
    }
    try self.init(lines: output, of: "the output of \(script)", ranks: ranks)
  }

  /// Returns the standard output of the script, which ends with all processes that it started.
  private static func output(of script: String) throws -> String {
    let file = NSTemporaryDirectory() + "apus-hosts-\(UUID().uuidString)"
    defer { unlink(file) }
    let process = try SupervisedProcess([script], output: file, errors: STDERR_FILENO)
    let end = ContinuousClock.now + .seconds(discoverySeconds)
    var isTooLong: Bool { FileStatus(file).map { $0.byteCount > mostBytes } ?? false }
    while !process.hasEnded, ContinuousClock.now < end, !StopRequests.isStopRequested, !isTooLong {
      usleep(10_000)
    }
    let isUnfinished = !process.hasEnded
    let outcome = process.end()
    func failure(_ reason: String) -> HostsError { .discovery(script: script, reason: reason) }
    if isTooLong { throw failure("it printed more than \(mostBytes >> 20) MiB") }
    if isUnfinished { throw failure("it has not ended within \(discoverySeconds) seconds") }
    if outcome.signal != 0 { throw failure("signal \(outcome.signal) ended it") }
    if outcome.code != 0 { throw failure("it exited with code \(outcome.code)") }
    return String(decoding: try InputFile.contents(of: file, limit: mostBytes), as: UTF8.self)
  }
}
