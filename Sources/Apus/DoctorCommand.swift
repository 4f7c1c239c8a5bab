import ArgumentParser
import Files
import Foundation
import Launch
import MPI
import Tensors

/// `apus doctor`: checks the machines of a run, and names what is wrong with its remedy.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check this machine or the hosts of a hostfile, with a remedy for each finding.",
    discussion: """
      apus doctor --hostfile hosts --run runs/x

      `apus doctor examine --help` lists the options.
      """,
    subcommands: [
      Examine.self, Leftovers.self, Probe.self, Speed.self, ExchangeMessages.self,
    ],
    defaultSubcommand: Examine.self)

  /// The check itself.
  struct Examine: Subcommand {
    static let configuration = CommandConfiguration(
      abstract: "Check this machine or the hosts of a hostfile.",
      discussion: """
        apus doctor --hostfile hosts --run runs/x

        Without hosts it checks those of a Slurm job, otherwise this machine. A defect ends with \
        exit code 2; warnings do not. Nothing is changed or removed.
        """)

    @Option(help: "Hosts, in a file of Open MPI's syntax: a line such as node-a slots=2 for each.")
    var hostfile: String?

    @Option(help: "Hosts with their ranks, as in node-a:2,node-b:2.")
    var hosts: String?

    @Option(help: "Ranks on every host, in place of its slots.")
    var ranksPerHost: Int?

    @Option(help: "Threads per rank.")
    var threads: Int?

    @Option(
      name: .customLong("run"),
      help: "Run folder that all hosts must share; it need not exist.")
    var runFolder: String?

    @Option(help: "Network of all hosts as an address range, such as 10.0.0.0/24.")
    var network: String?

    @Option(
      help:
        "Program in place of ssh, with its options (default: plm_rsh_agent of Open MPI's environment)."
    )
    var ssh: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    var inputs: [String] { [] }

    func validate() throws {
      if hostfile != nil, hosts != nil {
        throw ValidationError("--hostfile and --hosts exclude each other; give one.")
      }
      try requireOneOrMore(ranksPerHost, of: "--ranks-per-host")
      try requireOneOrMore(threads, of: "--threads")
      if runFolder == "" { throw ValidationError("--run is empty: name a folder.") }
      if ssh?.split(separator: " ").isEmpty == true {
        throw ValidationError("--ssh is empty: name a program.")
      }
      if let network, NetworkInterface("", network)?.network != network {
        throw ValidationError("--network must be an address range such as 10.0.0.0/24.")
      }
    }

    /// The hosts, and whether their slots are the ranks of a run.
    private func chosenHosts() throws -> (Hosts, knowsRanks: Bool) {
      if let hostfile { return (try Hosts(hostfile: hostfile, ranks: ranksPerHost), true) }
      if let hosts { return (try Hosts(list: hosts, ranks: ranksPerHost), true) }
      let environment = ProcessInfo.processInfo.environment
      if let hosts = try Hosts(slurm: environment, ranks: ranksPerHost) { return (hosts, true) }
      let own = Host(name: Host.ownName, slots: ranksPerHost ?? 1)
      return (Hosts([own]), ranksPerHost != nil)
    }

    private func absolute(_ path: String, in folder: String) -> String {
      path.hasPrefix("/") ? path : FileSystem.join(folder, path)
    }

    func run() throws {
      // A probe may end while it is asked.
      signal(SIGPIPE, SIG_IGN)
      let (hosts, knowsRanks) = try chosenHosts()
      let folder = FileManager.default.currentDirectoryPath
      let shell =
        ssh.map { RemoteShell($0.split(separator: " ").map(String.init)) }
        ?? RemoteShell(environment: ProcessInfo.processInfo.environment)
      let examiner = HostExaminer(
        hosts: hosts, shell: shell, program: Program.path, folder: folder,
        runFolder: runFolder.map { HostReport.Volume(at: absolute($0, in: folder)).path },
        threads: threads, knowsRanks: knowsRanks)
      let examinations = examiner.examine()
      let comparison = Comparison(examinations, network: network)
      var diagnosis = Diagnosis(examinations, findings: comparison.findings)
      // A defect explains why ranks do not start, and would let mpirun wait.
      if !diagnosis.hasDefect, hosts.all.count > 1 || diagnosis.hosts[0].cores.allowed.count > 1 {
        let exchange = Exchange(
          hosts: hosts.all.map(\.name), shell: shell, network: network ?? comparison.commonNetwork,
          program: Program.path, library: MPIEnvironment.libraryVersion)
        diagnosis.add(exchange.measure())
      }
      if json {
        try StandardOutput.print(json: diagnosis)
      } else {
        try StandardOutput.print(diagnosis.lines.joined(separator: "\n"))
      }
      if diagnosis.hasDefect { throw ExitCode(2) }
    }
  }

  /// The paths of what ended runs left behind, for `xargs`.
  struct Leftovers: Subcommand {
    static let configuration = CommandConfiguration(
      abstract: "List what ended runs of Open MPI left on this machine, a path a line.")

    var inputs: [String] { [] }

    func run() throws {
      let paths = HostReport.Leftovers.ofThisHost().paths
      if !paths.isEmpty { try StandardOutput.write((paths.joined(separator: "\n") + "\n").utf8) }
    }
  }

  /// The probe that the check starts on every host.
  struct Probe: Subcommand {
    static let configuration = CommandConfiguration(
      abstract: "Answer the questions of apus doctor on another host.", shouldDisplay: false)

    var inputs: [String] { [] }

    func run() throws {
      try ProbeService.run(report: HostReport.ofThisHost(measuresSpeeds:)) {
        try StandardOutput.print($0)
      }
    }
  }

  /// The speed of fp32 products on one core, with the settings of OpenBLAS in the environment.
  struct Speed: Subcommand {
    static let configuration = CommandConfiguration(
      abstract: "Print FLOP/s of fp32 products on one core.", shouldDisplay: false)

    var inputs: [String] { [] }

    func run() throws {
      MatrixLibrary.useCallingThreadOnly()
      try StandardOutput.print("\(CoreSpeed.products(in: .fp32, seconds: 0.25).flops)")
    }
  }
}
