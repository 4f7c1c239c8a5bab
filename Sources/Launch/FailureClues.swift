/// The messages of `mpirun`, ssh and the ranks that say which host has failed, and how.
///
/// Lines are read as they come; only what they say is kept.
struct FailureClues: Equatable {
  /// A failure that a line reports.
  struct Finding: Equatable {
    /// The host's name as the line has it; nil when it names a rank only.
    var host: String?
    var rank: Int?
    /// The end of a sentence.
    let reason: String
    /// True when other ranks have found that the host computes wrongly.
    var computesWrongly = false
  }

  /// A host that does not answer: its daemon is lost, or ssh cannot reach it.
  private(set) var lostHost: Finding?
  /// A rank that a signal ended.
  private(set) var killedRank: Finding?
  /// The first rank that reported an error.
  private(set) var failedRank: Finding?
  /// The rank that ended first, as mpirun reports it.
  private(set) var firstRank: Finding?
  /// The reason for which mpirun cannot start these ranks however often it tries.
  private(set) var refusal: String?
  /// True when another run has taken the folder over.
  private(set) var isSuperseded = false

  /// True when the ranks have saved and stopped because a signal asked one of them to.
  ///
  /// mpirun names the first rank that ended after a stop too.
  var isStopped: Bool {
    hasStopRequest && lostHost == nil && killedRank == nil && failedRank == nil
  }
  private var hasStopRequest = false

  private var unfinished: [UInt8] = []
  private static let longestLine = 4096

  /// The failure that explains the end of the attempt best.
  var finding: Finding? { lostHost ?? killedRank ?? failedRank ?? firstRank }

  /// True when ssh cannot reach a host, or a daemon cannot be started there.
  var isUnreachable: Bool { lostHost?.reason.hasPrefix("ssh: ") == true }

  /// Reads a part of standard error.
  mutating func read(_ bytes: some Sequence<UInt8>) {
    for byte in bytes {
      if byte == UInt8(ascii: "\n") {
        read(line: String(decoding: unfinished, as: UTF8.self))
        unfinished.removeAll(keepingCapacity: true)
      } else if unfinished.count < Self.longestLine {
        unfinished.append(byte)
      }
    }
  }

  /// Reads a line without its line feed.
  mutating func read(line: String) {
    if line.contains("a signal requested a stop") { hasStopRequest = true }
    if let refused = Self.refusals.first(where: { line.contains($0) }) { refusal = refused }
    if let match = line.firstMatch(
      of: /process rank (\d+) with PID \d+ on node (\S+) exited on signal (\d+)(?: \(([^)]*)\))?/)
    {
      let name = match.4.map { " (\($0))" } ?? ""
      killedRank =
        killedRank
        ?? Finding(
          host: String(match.2), rank: Int(match.1),
          reason: "signal \(match.3)\(name) ended rank \(match.1)")
    } else if let match = line.firstMatch(of: /Remote daemon: \[\[\d+,\d+\],\d+\] on node (\S+)/) {
      lostHost = Finding(host: String(match.1), reason: "mpirun lost the connection")
    } else if let match = line.firstMatch(of: /^ssh: connect to host (\S+) port \d+: (.*)/) {
      lostHost = Finding(host: String(match.1), reason: "ssh: \(match.2.trimmed)")
    } else if let match = line.firstMatch(of: /^ssh: Could not resolve hostname ([^\s:]+): (.*)/) {
      lostHost = Finding(host: String(match.1), reason: "ssh: \(match.2.trimmed)")
    } else if let match = line.firstMatch(of: /^(?:\S+@)?([\w.-]+): (Permission denied \(.*)/) {
      lostHost = Finding(host: String(match.1), reason: "ssh: \(match.2.trimmed)")
    } else if let finding = Self.ofWatchdog(line) {
      failedRank = failedRank ?? finding
    } else if let match = line.firstMatch(of: /^apus: (?:\S+ )?rank (\d+) on ([\w.-]+): (.*)/) {
      if line.contains(Self.takenOver) { isSuperseded = true }
      // The rank whose call of MPI fails has lost another one.
      let isVictim = match.3.hasPrefix("MPI_") && match.3.contains(" failed with code ")
      failedRank =
        failedRank
        ?? Finding(
          host: isVictim ? nil : String(match.2), rank: isVictim ? nil : Int(match.1),
          reason: "rank \(match.1): \(match.3.trimmed)")
    } else if let match = line.firstMatch(of: /Process name: \[\[\d+,\d+\],(\d+)\]/) {
      firstRank =
        firstRank
        ?? Finding(
          host: nil, rank: Int(match.1), reason: "rank \(match.1) ended first")
    } else if line.hasPrefix("apus: "), line.contains(Self.takenOver) {
      isSuperseded = true
    }
  }

  /// Returns the rank that the others report in `line`, frozen, stuck, or with wrong weights or
  /// gradients; nil for other lines.
  ///
  /// A network that delivers nothing is the fault of no host.
  private static func ofWatchdog(_ line: String) -> Finding? {
    let reason = String(line.dropFirst("apus: ".count))
    let isOfNoHost = line.firstMatch(
      of: #/^apus: rank \d+ on [\w.-]+(: all ranks are in | has waited .* before the run began)/#)
    if isOfNoHost != nil {
      return Finding(host: nil, rank: nil, reason: reason)
    }
    // A local number, before the ranks have joined.
    if let match = line.firstMatch(of: /^apus: rank number \d+ of ([\w.-]+), counted from 0, is\b/)
    {
      return Finding(host: String(match.1), rank: nil, reason: reason)
    }
    guard
      let match = line.firstMatch(
        of: /^apus: rank (\d+) on ([\w.-]+)(,| has made| computed) (.*)/)
    else { return nil }
    // Two ranks with other weights have no majority that tells which is wrong.
    let isKnown = match.3 != "," || match.4.hasPrefix("last seen in ")
    return Finding(
      host: isKnown ? String(match.2) : nil, rank: isKnown ? Int(match.1) : nil,
      reason: reason, computesWrongly: match.3 == " computed")
  }

  /// The words of ``StorageError/superseded(path:attempt:holder:)``.
  private static let takenOver = "has taken it over"

  /// Messages of mpirun about what it is asked to start.
  private static let refusals = [
    "unable to find the specified executable file",
    "was unable to launch the specified application",
    "There are not enough slots available",
    "would result in binding more",
    "specified to be included for", "Could not find an interface",
    "Host key verification failed", "unrecognized option", "Unknown option",
    "Error: unknown option",
  ]
}
