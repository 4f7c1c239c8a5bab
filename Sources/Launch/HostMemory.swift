import Files
import Foundation

/// The hosts that have failed, in the memory of a user across runs.
///
/// hosts.json: `{"node-b": {"failures": 2, "until": 1796054400.0, "reason": "…"}}`; times are in
/// seconds since 1970.
package struct HostMemory: Equatable, Sendable {
  package struct Entry: Codable, Equatable, Sendable {
    /// The number of failures in a row.
    package var failures: Int
    /// The end of the cool-down.
    package var until: Double
    package var reason: String
    /// True when the host has computed wrongly; then it is used only where no other is left.
    package var computesWrongly: Bool?

    /// The beginning of ``reason``, without advice.
    var cause: Substring { reason.prefix { $0 != ";" } }
  }

  package private(set) var entries: [String: Entry] = [:]

  /// The first cool-down and the longest one, in seconds.
  static let (firstCooldown, longestCooldown) = (5.0, 600.0)
  /// The time after which a failure is forgotten, in seconds.
  static let forgetting = 86400.0

  /// The most failures that are counted.
  private static let mostFailures = 1000

  package init() {}

  /// Returns the cool-down after `failures` failures in a row, in seconds: 5 s, doubled with each
  /// further one, at most 10 minutes.
  static func cooldown(_ failures: Int) -> Double {
    failures < 1 ? 0 : min(longestCooldown, firstCooldown * pow(2, Double(min(failures, 20) - 1)))
  }

  /// Records a failure of `host`.
  ///
  /// - Parameter isLost: True for a host that does not answer; where only a rank has failed, the
  ///   first cool-down is 0.
  mutating func record(_ host: String, isLost: Bool, reason: String, at now: Double) {
    let failures = min((entries[host]?.failures ?? 0) + 1, Self.mostFailures)
    entries[host] = Entry(
      failures: failures, until: now + Self.cooldown(isLost ? failures : failures - 1),
      reason: reason)
  }

  /// Records that `host` has computed wrongly: it is left out for a day.
  mutating func recordWrong(_ host: String, reason: String, at now: Double) {
    let failures = (entries[host]?.failures ?? 0) + 1
    entries[host] = Entry(
      failures: failures, until: now + Self.forgetting, reason: reason, computesWrongly: true)
  }

  /// True when `host` has computed wrongly within a day.
  func computesWrongly(_ host: String) -> Bool { entries[host]?.computesWrongly ?? false }

  /// Forgets the failures of hosts on which a run has advanced, but not that one computes wrongly.
  mutating func forgive(_ hosts: [String]) {
    for host in hosts where !computesWrongly(host) { entries[host] = nil }
  }

  func failures(of host: String) -> Int { entries[host]?.failures ?? 0 }

  /// The seconds until the cool-down of `host` is over.
  func cooldown(of host: String, at now: Double) -> Double {
    max(0, (entries[host]?.until ?? 0) - now)
  }

  /// The path of the file: in XDG_STATE_HOME, by default ~/.local/state.
  package static func path(_ environment: [String: String]) -> String {
    let state = environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    return "\(state ?? "\(environment["HOME"] ?? "")/.local/state")/apus/hosts.json"
  }

  /// Reads the file; a missing or damaged one is empty.
  package init(path: String, at now: Double) {
    guard let bytes = try? InputFile.contents(of: path, limit: 1 << 24),
      let found = try? JSONDecoder().decode([String: Readable].self, from: Data(bytes))
    else { return }
    entries = found.compactMapValues(\.entry).mapValues { entry in
      var entry = entry
      // A clock may have been wrong.
      entry.until = min(entry.until, now + Self.forgetting)
      entry.failures = min(max(0, entry.failures), Self.mostFailures)
      return entry
    }.filter { $0.value.until + Self.forgetting > now }
  }

  /// An entry of the file; nil where it cannot be read.
  private struct Readable: Decodable {
    let entry: Entry?

    init(from decoder: any Decoder) throws { entry = try? Entry(from: decoder) }
  }

  /// Writes the entries of `hosts` to the file, and leaves those of other hosts as they are.
  package func save(_ hosts: [String], to path: String, at now: Double) throws {
    var all = HostMemory(path: path, at: now)
    let before = all
    for host in hosts { all.entries[host] = entries[host] }
    if all == before { return }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try PendingFile.write(Array(try encoder.encode(all.entries)) + [0x0A], to: path)
  }
}
