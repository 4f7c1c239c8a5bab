import Files
import Foundation

/// What one host of a run answered.
package struct Examination: Equatable, Sendable {
  /// Its name in the hostfile.
  package let host: String
  package let load: HostLoad
  /// The facts; nil without an answer.
  package var report: HostReport?
  /// The reason why there is no answer.
  package var failure: Finding?
  /// Seconds by which its clock is ahead of this machine's, and the greatest error.
  package var clock: Clock?
  package var folder: FolderFacts?

  package struct Clock: Equatable, Sendable {
    package let offset: Double
    package let error: Double

    package init(offset: Double, error: Double) {
      self.offset = offset
      self.error = error
    }
  }

  package init(host: String, load: HostLoad = HostLoad(), report: HostReport? = nil) {
    self.host = host
    self.load = load
    self.report = report
  }
}

/// The request to examine hosts.
package struct HostExaminer: Sendable {
  package let hosts: Hosts
  package let shell: RemoteShell
  /// The path of the program, the same on every host.
  package let program: String
  /// The folder in which a run starts.
  package let folder: String
  /// The folder of the run, or the nearest one above it that exists; nil without one.
  package let runFolder: String?
  /// Threads per rank; nil when unknown.
  package let threads: Int?
  /// True when the slots of the hosts are the ranks of a run.
  package let knowsRanks: Bool
  /// True to measure the speeds of cores and folder too.
  package var measuresSpeeds = true

  package init(
    hosts: Hosts, shell: RemoteShell, program: String, folder: String, runFolder: String?,
    threads: Int?, knowsRanks: Bool
  ) {
    self.hosts = hosts
    self.shell = shell
    self.program = program
    self.folder = folder
    self.runFolder = runFolder
    self.threads = threads
    self.knowsRanks = knowsRanks
  }

  /// Examines all hosts at the same time: about five seconds, a second without speeds, and at most
  /// forty.
  package func examine() -> [Examination] {
    let probes = Tool.inParallel(hosts.all) { host in (host, try? ask(host)) }
    var examinations: [Examination] = []
    var open: [(place: Int, probe: ProbeConversation)] = []
    for (place, (host, asked)) in probes.enumerated() {
      var examination = Examination(
        host: host.name, load: HostLoad(ranks: knowsRanks ? host.slots : nil, threads: threads))
      if let asked, let report = asked.report {
        examination.report = report
        examination.clock = asked.clock
        open.append((place, asked.probe))
      } else {
        let outcome = asked?.probe.end()
        examination.failure =
          asked?.clock != nil && outcome?.code ?? 0 == 0
          ? Self.unmeasured(host.name)
          : shell.finding(of: outcome, host: host, folder: folder, program: program)
      }
      examinations.append(examination)
    }
    if let runFolder { examineFolder(runFolder, open, &examinations) }
    _ = Tool.inParallel(open.map(\.probe)) { $0.end() }
    return examinations
  }

  private func ask(_ host: Host) throws -> (
    probe: ProbeConversation, report: HostReport?, clock: Examination.Clock?
  ) {
    let probe = try ProbeConversation(
      shell.command(
        on: host, folder: folder, program: program, arguments: ["doctor", "probe"]))
    let seconds = Double(RemoteShell.connectSeconds) + 3
    guard probe.ask("clock", seconds: seconds) != nil else { return (probe, nil, nil) }
    let clock = probe.clock().map { Examination.Clock(offset: $0.offset, error: $0.error) }
    let request = measuresSpeeds ? "report" : "facts"
    return (probe, probe.ask(HostReport.self, request, seconds: Self.reportSeconds), clock)
  }

  /// The seconds within which a host measures itself; an idle one takes two.
  private static let reportSeconds = 25.0

  /// The finding of a host that answers, but does not measure itself in time.
  private static func unmeasured(_ host: String) -> Finding {
    Finding(
      .defect, [host], "it answers, and its measurements have no end after \(Int(reportSeconds)) s",
      why: "its cores are busy or stopped, and all ranks of a run would wait for it",
      remedy: "top -b -n 1 | head -15, on that host, names what occupies it")
  }

  /// Lets every host write a file, and then look for those of all.
  private func examineFolder(
    _ path: String, _ open: [(place: Int, probe: ProbeConversation)],
    _ examinations: inout [Examination]
  ) {
    let run = UInt64.random(in: .min ... .max)
    let tokens = open.map { "\(String(run, radix: 36))-\($0.place)" }
    let written = Tool.inParallel(Array(zip(open.map(\.probe), tokens))) { probe, token in
      probe.ask(
        FolderFacts.self, "\(measuresSpeeds ? "write" : "touch") \(token) \(path)", seconds: 8)
    }
    let present = zip(tokens, written).filter { $1 != nil && $1?.refusal == nil }.map(\.0)
    let missing = Tool.inParallel(open.map(\.probe)) {
      $0.ask(
        [String].self, "look " + present.joined(separator: " "),
        seconds: SharedFolderProbe.patience + 2)
    }
    for (index, probe) in open.enumerated() {
      var facts =
        written[index]
        ?? FolderFacts(
          path: path, refusal: "nothing was written within 8 s",
          volume: .init(path: path, type: "unknown", size: 0, free: 0), speed: 0)
      let unseen = missing[index] ?? []
      facts.unseen = unseen.compactMap { token in
        tokens.firstIndex(of: token).map { examinations[open[$0].place].host }
      }
      examinations[probe.place].folder = facts
    }
  }
}
