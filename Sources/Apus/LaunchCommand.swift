import ArgumentParser
import Configuration
import Foundation
import Launch
import MPI
import Phases
import Recipes

/// `apus launch`: starts another command of apus under `mpirun`, and again after a failure.
struct LaunchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "launch",
    abstract: "Start a command on one host or many, and again after a failure.",
    discussion: """
      apus launch --hostfile hosts --network 10.0.0.0/24 pretrain run.yaml --set steps=1000

      Builds and prints the mpirun command line, watches it, and resumes the run on the remaining \
      hosts when a rank or a host is lost. SIGTERM and Ctrl-C save a checkpoint first (exit code \
      75). Without hosts it uses those of a Slurm job, otherwise this machine.
      """)

  @Option(help: "Hosts, in a file of Open MPI's syntax: a line such as node-a slots=2 for each.")
  var hostfile: String?

  @Option(help: "Hosts with their ranks, as in node-a:2,node-b:2.")
  var hosts: String?

  @Option(help: "Script that prints the hosts, as a hostfile; asked before every start.")
  var discover: String?

  @Option(help: "Ranks on every host, in place of its slots.")
  var ranksPerHost: Int?

  @Option(help: "Cores and threads per rank (default: cores of the host ÷ its ranks).")
  var threads: Int?

  @Option(help: "Network of all hosts as an address range, such as 10.0.0.0/24.")
  var network: String?

  @Option(help: "Hosts that stand by, the last of the list, and replace one that fails.")
  var spares = 0

  @Option(help: "Seconds for a checkpoint after a request to stop.")
  var grace = 25.0

  @Option(help: "Seconds between two reports of the useful time.")
  var reportEvery = 600.0

  @Flag(help: "End another apus launch on the same run folder, and continue its run.")
  var takeOver = false

  @Flag(
    inversion: .prefixedNo,
    help: "Check the hosts before ranks are started on them, as apus doctor does.")
  var preflight = true

  @Flag(help: "Use hosts that have failed before like the others.")
  var forgetFailures = false

  @Flag(help: "Print the mpirun command line and end.")
  var print = false

  @Argument(
    parsing: .captureForPassthrough,
    help: "Command of apus that ranks run together, with its arguments.")
  var words: [String] = []

  func validate() throws {
    if [hostfile, hosts, discover].count(where: { $0 != nil }) > 1 {
      throw ValidationError("--hostfile, --hosts and --discover exclude each other; give one.")
    }
    try requireOneOrMore(ranksPerHost, of: "--ranks-per-host")
    try requireOneOrMore(threads, of: "--threads")
    if spares < 0 { throw ValidationError("--spares must be 0 or more.") }
    for (name, value, least, most) in [
      ("--grace", grace, 0.0, 86400.0), ("--report-every", reportEvery, 1, 1e6),
    ] where !(least...most ~= value) {
      throw ValidationError(
        "\(name) must be a number of seconds from \(Int(least)) to \(Int(most)).")
    }
    for (name, value, most) in [
      ("--ranks-per-host", ranksPerHost, 65536), ("--threads", threads, 4096),
    ] {
      if let value, value > most {
        throw ValidationError("\(name) must be at most \(most), not \(value).")
      }
    }
  }

  /// The command that the ranks run.
  private func command() throws -> any CollectiveSubcommand {
    let words = commandWords
    guard let name = words.first else {
      throw ValidationError("A command is missing: apus launch pretrain run.yaml")
    }
    if ["-h", "--help"].contains(name) { throw CleanExit.helpRequest(self) }
    if name.hasPrefix("-") {
      throw ValidationError(
        "Unknown option '\(name)': the options of apus launch stand before the command, and those of "
          + "the command after it.")
    }
    // An error in its arguments has the usage of the command itself.
    guard let command = try ApusCommand.command(from: words) as? any CollectiveSubcommand else {
      throw ValidationError(
        "apus \(name) runs on one host and needs no launch: start it by itself.")
    }
    if threads != nil, command.ranks.threads != nil {
      throw ValidationError("--threads is given twice; give it once.")
    }
    return command
  }

  /// The words of the command: those behind `--`, if it stands before the command.
  var commandWords: [String] { words.first == "--" ? Array(words.dropFirst()) : words }

  private func plan() throws -> LaunchPlan {
    let command = try command()
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    var plan = LaunchPlan(program: program, arguments: commandWords)
    if let hostfile { plan.source = .hostfile(hostfile) }
    if let hosts { plan.source = .list(hosts) }
    if let discover { plan.source = .script(discover) }
    plan.ranksPerHost = ranksPerHost
    plan.threads =
      threads ?? command.ranks.threads
      ?? plan.environment["SLURM_CPUS_PER_TASK"].flatMap { Int($0) }
      .flatMap { 1...4096 ~= $0 ? $0 : nil }
    plan.network = network
    plan.spares = spares
    plan.grace = grace
    plan.takesOver = takeOver
    plan.forgetsFailures = forgetFailures
    plan.reportSeconds = reportEvery
    plan.checksHosts = preflight
    plan.oversubscribes = command.ranks.oversubscribe
    plan.folder = print ? nil : try Self.folder(of: command)
    plan.resumes = command is any PhaseSubcommand
    return plan
  }

  /// The run folder of a phase, or that of a recipe.
  static func folder(of command: any CollectiveSubcommand) throws -> String? {
    if let recipe = command as? RunCommand {
      return recipe.dryRun ? nil : try Recipe(path: recipe.recipe).folder
    }
    guard let phase = command as? any PhaseSubcommand, !phase.arguments.dryRun else { return nil }
    return try type(of: phase).phase.runFolder(in: phase.arguments.reader())
  }

  func run() throws {
    let library = MPIEnvironment.libraryVersion
    guard library.hasPrefix("Open MPI") else {
      throw Failure.Refusal(
        "apus launch needs the mpirun of Open MPI, and this apus is built with \(library): start the "
          + "command by the mpiexec of \(library), and again after exit code 75, or build apus with "
          + "Open MPI (make build).")
    }
    let plan = try plan()
    if print {
      let line = try plan.line(on: plan.hosts())
      return try StandardOutput.print(line.text)
    }
    let code = try Supervisor(plan).run()
    if code != 0 { throw ExitCode(code) }
  }
}
