import Files
import Foundation

/// A command of apus and the hosts on which it is to run: what `apus launch` was asked for.
package struct LaunchPlan: Sendable {
  /// The source of the hosts.
  package enum Source: Equatable, Sendable {
    case hostfile(String)
    case list(String)
    /// A script that is asked before every start.
    case script(String)
    /// Slurm's variables where they exist, otherwise this machine alone.
    case surroundings
  }

  package var source = Source.surroundings
  /// The ranks of every host; nil for its slots.
  package var ranksPerHost: Int?
  /// The threads of each rank; nil when the ranks of a host share its cores.
  package var threads: Int?
  package var network: String?
  /// The number of hosts that stand by, the last of the list.
  package var spares = 0
  /// The time for a checkpoint after a request to stop, in seconds.
  package var grace = 25.0
  /// The time between two reports of an attempt that runs, in seconds.
  package var reportSeconds = 600.0
  /// True to examine hosts before ranks are started on them.
  package var checksHosts = true
  /// True to use hosts that have failed before like the others.
  package var forgetsFailures = false
  /// True to take the run folder from another launch.
  package var takesOver = false
  /// True to permit more threads than cores.
  package var oversubscribes = false
  /// The path of the program.
  package var program: String
  /// The arguments of the program.
  package var arguments: [String]
  /// The run folder, or that of a recipe; nil for a command without one.
  package var folder: String?
  /// True for a command with the option --resume.
  package var resumes = false
  /// The variables of this process.
  package var environment: [String: String]

  package init(
    program: String, arguments: [String],
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    self.program = program
    self.arguments = arguments
    self.environment = environment
  }

  /// The hosts, at this moment.
  package func hosts() throws(HostsError) -> Hosts {
    switch source {
    case .hostfile(let path): return try Hosts(hostfile: path, ranks: ranksPerHost)
    case .list(let list): return try Hosts(list: list, ranks: ranksPerHost)
    case .script(let path): return try Hosts(discoveredBy: path, ranks: ranksPerHost)
    case .surroundings:
      if let hosts = try Hosts(slurm: environment, ranks: ranksPerHost) { return hosts }
      // One rank with all cores, or as many ranks as its cores have room for.
      let ranks = threads.map { max(1, Processors.ofThisMachine.threads / $0) } ?? 1
      return Hosts.local(slots: ranksPerHost ?? ranks)
    }
  }

  /// The command line for these hosts.
  ///
  /// - Parameter checkpoint: The checkpoint to resume from; nil for the newest one.
  /// - Throws: ``LaunchError/fewCores(ranks:threads:cores:)``.
  package func line(
    on hosts: Hosts, resuming checkpoint: String? = nil, keepsResume: Bool = true
  ) throws(LaunchError) -> MpirunLine {
    var words = keepsResume && checkpoint == nil ? arguments : argumentsWithoutResume
    if let checkpoint { words += ["--resume", checkpoint] }
    if let threads, !hasOption("--threads") { words += ["--threads", "\(threads)"] }
    var line = MpirunLine(hosts: hosts, program: program, arguments: words)
    line.threads = threads
    line.network = network
    line.oversubscribes = oversubscribes
    line.environment = environment
    let available = line.processors.threads
    for host in hosts.all where host.isThisMachine && !oversubscribes {
      if host.slots * (threads ?? 1) > available {
        throw .fewCores(ranks: host.slots, threads: threads ?? 1, cores: available)
      }
    }
    return line
  }

  /// True when the user has named a checkpoint, or none, to resume from.
  var givesResume: Bool { hasOption("--resume") }

  private func hasOption(_ name: String) -> Bool {
    arguments.contains { $0 == name || $0.hasPrefix("\(name)=") }
  }

  private var argumentsWithoutResume: [String] {
    var (words, isValue) = ([String](), false)
    for word in arguments where resumes {
      if isValue {
        isValue = false
      } else if word == "--resume" {
        isValue = true
      } else if !word.hasPrefix("--resume=") {
        words.append(word)
      }
    }
    return resumes ? words : arguments
  }

  /// Returns the path of `name` in PATH; nil when it is not there.
  static func path(of name: String, in environment: [String: String]) -> String? {
    (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }.first {
      access($0, X_OK) == 0 && FileStatus($0)?.kind == .file
    }
  }
}
