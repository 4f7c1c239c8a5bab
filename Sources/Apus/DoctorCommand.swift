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
    subcommands: [Examine.self, Leftovers.self, Probe.self, Speed.self],
    defaultSubcommand: Examine.self)

  /// The check itself.
  struct Examine: Subcommand {
    static let configuration = CommandConfiguration(
      abstract: "Check this machine or the hosts of a hostfile.",
      discussion: """
        apus doctor

        A defect ends with exit code 2; warnings do not. Nothing is changed or removed.
        """)

    @Option(help: "Ranks per host, for the check of its cores and shared memory.")
    var ranksPerHost: Int?

    @Option(help: "Threads per rank.")
    var threads: Int?

    @Flag(help: "Print one JSON object.")
    var json = false

    var inputs: [String] { [] }

    func validate() throws {
      try requireOneOrMore(ranksPerHost, of: "--ranks-per-host")
      try requireOneOrMore(threads, of: "--threads")
    }

    func run() throws {
      let report = try HostReport.measured()
      let diagnosis = Diagnosis(
        [report],
        findings: report.findings(
          under: HostLoad(ranks: ranksPerHost, threads: threads)))
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

  /// The facts of this machine, as one line of JSON.
  struct Probe: Subcommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the facts of this machine as JSON.", shouldDisplay: false)

    var inputs: [String] { [] }

    func run() throws {
      try StandardOutput.print(json: HostReport.measured())
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
