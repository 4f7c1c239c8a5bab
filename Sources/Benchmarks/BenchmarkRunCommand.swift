import ArgumentParser
import Foundation
import Glibc

/// `apus-bench run`: measures, prints a table with the change since the last run, and writes JSON.
struct BenchmarkRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Measure, print a table and store the figures (the default).")

  @OptionGroup var settings: Settings

  @Option(help: "Number of turns, whose median is shown.")
  var repeats = 5

  @Option(help: "Name of a benchmark, or its first parts, such as step.gpt2. Repeatable.")
  var only: [String] = []

  @Flag(help: "List the benchmarks and measure nothing.")
  var list = false

  @Flag(help: "Print the table of RESULTS.md for the stored figures and measure nothing.")
  var markdown = false

  @Option(help: "Python with torch, transformers and tokenizers (default: PYTHON).")
  var python: String?

  /// The fraction of the cores that a quiet system uses.
  static let idleLoad = 0.05

  func validate() throws {
    if repeats < 1 { throw ValidationError("--repeats must be at least 1, not \(repeats).") }
  }

  func run() throws {
    let benchmarks = try Catalogue.benchmarks(settings, only: only)
    let folder = ReportFolder(path: settings.output)
    if list {
      for benchmark in benchmarks {
        print(benchmark.name.padding(toLength: 24, withPad: " ", startingAt: 0), benchmark.summary)
      }
    } else if markdown {
      guard let report = try folder.read() else {
        throw Refusal("\(folder.latest) does not exist: measure first, with make bench.")
      }
      print(Markdown.table(report, benchmarks), terminator: "")
    } else {
      try measure(benchmarks, folder)
    }
  }

  private func measure(_ benchmarks: [Benchmark], _ folder: ReportFolder) throws {
    let environment = ProcessInfo.processInfo.environment
    if environment["OMPI_COMM_WORLD_SIZE"] != nil {
      throw Refusal(
        "apus-bench starts mpirun itself: run it without mpirun.", code: 64)
    }
    try folder.create()
    let benchmarks = try TokenizerBenchmark.prepared(benchmarks, settings)
    let earlier = try folder.read()
    let packages = try peerPackages(benchmarks, environment["PYTHON"])
    let machine = Machine.current(threads: settings.workers, peers: packages?.versions ?? [:])
    print(describe(machine, earlier))
    print("\n" + Table.heading)
    let runner = Runner(
      settings: settings, repeats: repeats,
      python: packages.map { ($0.path, $0.versions) }, progress: showProgress)
    var report = Report(machine: machine, figures: [])
    var hasFailed = false
    for benchmark in benchmarks {
      let (figures, failures, otherLoad) = runner.run(benchmark)
      clearProgress()
      for var figure in figures {
        print(
          Table.line(
            figure, since: isComparable(earlier, machine) ? earlier?.figure(figure.name) : nil))
        figure.otherLoad = otherLoad
        figure.date = Date.now.formatted(.iso8601)
        figure.commit = machine.commit
        report.figures.append(figure)
      }
      if otherLoad > BenchmarkRunCommand.idleLoad {
        print(
          "  ! other programs used up to \(Int(100 * otherLoad)) % of the cores: measure again")
      }
      for failure in failures { Refusal.report(failure) }
      hasFailed = hasFailed || !failures.isEmpty
      fflush(nil)
    }
    try folder.write(report.filled(from: earlier))
    print("\nStored in \(folder.latest); ▲ better, ▼ worse than the last run, beyond the spread.")
    if hasFailed { throw ExitCode(1) }
  }

  private func isComparable(_ earlier: Report?, _ machine: Machine) -> Bool {
    earlier?.machine.isLike(machine) ?? false
  }

  /// The interpreter, and its versions of the packages of the peers.
  private func peerPackages(_ benchmarks: [Benchmark], _ given: String?) throws
    -> (path: String, versions: [String: String])?
  {
    guard let path = python ?? given, !path.isEmpty else { return nil }
    let wanted = Set(
      benchmarks.flatMap(\.measurements).compactMap { measurement in
        if case .peer(let peer) = measurement.source { peer.package } else { nil }
      })
    let versions = try Peer.versions(of: wanted, python: path)
    for package in wanted.subtracting(versions.keys).sorted() {
      Refusal.report("\(path) has no package \(package): its figures are left out.")
    }
    return (path, versions)
  }

  private func describe(_ machine: Machine, _ earlier: Report?) -> String {
    var lines = ["\(machine.processor), \(machine.cores) cores; \(machine.threads) threads"]
    for (name, version) in machine.versions.sorted(by: { $0.key < $1.key }) {
      lines.append("\(name): \(version)".prefix(Table.width).description)
    }
    if earlier != nil && !isComparable(earlier, machine) {
      lines.append("No comparison: the last run was on another machine or number of threads.")
    }
    return lines.joined(separator: "\n")
  }

  private func showProgress(_ name: String, _ turn: Int) {
    guard isatty(STDERR_FILENO) == 1 else { return }
    FileHandle.standardError.write(Data("\r\u{1b}[K\(name), turn \(turn) of \(repeats)".utf8))
  }

  private func clearProgress() {
    guard isatty(STDERR_FILENO) == 1 else { return }
    FileHandle.standardError.write(Data("\r\u{1b}[K".utf8))
  }
}
