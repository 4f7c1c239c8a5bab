import Foundation
import Glibc

/// Runs the processes of a benchmark in turn, and computes figures from their readings.
struct Runner {
  let settings: Settings
  /// Number of turns.
  let repeats: Int
  /// The Python interpreter and the versions of its packages; nil to run without peers.
  let python: (path: String, packages: [String: String])?
  /// Called before every process with the name of the measurement and the number of the turn.
  let progress: (String, Int) -> Void

  /// The figures of a benchmark, a sentence for each failure, and the largest fraction of the cores
  /// that other programs used during one of its processes.
  typealias Outcome = (figures: [BenchmarkFigure], failures: [String], otherLoad: Double)

  /// Measures `benchmark`.
  ///
  /// A measurement that fails is left out from then on; it keeps its first turns, so that ratios
  /// still compare equal turns.
  func run(_ benchmark: Benchmark) -> Outcome {
    var readings: [String: [Reading]] = [:]
    var failures: [String] = []
    let measurements = benchmark.measurements.filter(isPossible)
    var failed: Set<String> = []
    var otherLoad = 0.0
    for turn in 1...repeats {
      for measurement in measurements where !failed.contains(measurement.name) {
        progress(measurement.name, turn)
        let load = OtherLoad()
        defer { otherLoad = max(otherLoad, load.fraction()) }
        do {
          readings[measurement.name, default: []].append(try read(measurement))
        } catch {
          failed.insert(measurement.name)
          failures.append("\(error)")
        }
      }
    }
    let work = Set(readings.values.flatMap { $0 }.compactMap { $0["work"] }).sorted()
    var compared = benchmark
    if work.count > 1 {
      compared.ratios = []
      failures.append(
        "The processes of \(benchmark.name) did different work "
          + "(\(work.map { Table.number($0) }.joined(separator: ", "))), so there is no ratio.")
    }
    return (Runner.figures(of: compared, readings), failures, otherLoad)
  }

  private func isPossible(_ measurement: Measurement) -> Bool {
    guard case .peer(let peer) = measurement.source else { return true }
    return python?.packages[peer.package] != nil
  }

  /// The figures of `readings`, which has one reading per turn for each measurement.
  static func figures(of benchmark: Benchmark, _ readings: [String: [Reading]]) -> [BenchmarkFigure]
  {
    var figures: [BenchmarkFigure] = []
    for measurement in benchmark.measurements {
      for (place, quantity) in measurement.quantities.enumerated() {
        let values = (readings[measurement.name] ?? []).compactMap { $0[quantity.key] }
        guard !values.isEmpty else { continue }
        figures.append(
          BenchmarkFigure(
            name: place == 0 ? measurement.name : "\(measurement.name).\(quantity.key)",
            title: place == 0 ? measurement.title : "  \(quantity.key) of the process",
            subject: benchmark.summary, unit: quantity.unit,
            higherIsBetter: quantity.higherIsBetter, values: values))
      }
    }
    for ratio in benchmark.ratios {
      let compared = [ratio.numerator, ratio.denominator].map { name in
        (readings[name] ?? []).compactMap { $0[ratio.quantity.key] }
      }
      let values = zip(compared[0], compared[1]).map { $0 / $1 }
      guard !values.isEmpty else { continue }
      let isAlone = Set(benchmark.ratios.map(\.numerator)).count == 1
      let numerator = isAlone ? "" : "\(ratio.numerator.split(separator: ".").last ?? "") "
      let quantity = ratio.isOfRates ? "" : "\(ratio.quantity.key) "
      figures.append(
        BenchmarkFigure(
          name: ratio.name, title: "  \(numerator)\(quantity)÷ \(ratio.against)",
          subject: benchmark.summary, unit: "×", higherIsBetter: ratio.quantity.higherIsBetter,
          values: values))
    }
    return figures
  }

  /// Runs the process of `measurement` and returns its reading.
  private func read(_ measurement: Measurement) throws -> Reading {
    let log = "\(settings.output)/\(measurement.name).log"
    do {
      let text = try ChildProcess.output(of: command(for: measurement), errors: log)
      guard let line = text.split(separator: "\n").last(where: { $0.hasPrefix("{") }),
        let reading = try? JSONDecoder().decode(Reading.self, from: Data(line.utf8))
      else {
        throw Refusal(
          "\(measurement.name) printed no reading: see \(log), and run it again by hand.")
      }
      return reading
    } catch let failure as ChildProcess.Failed {
      let words = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
      let last = words.split(separator: "\n").last.map(String.init) ?? "no message"
      throw Refusal(
        "\(measurement.name) failed with exit code \(failure.code) (\(last)): see its output in "
          + "\(log).")
    }
  }

  private func command(for measurement: Measurement) -> [String] {
    switch measurement.source {
    case .peer(let peer):
      return peer.command(python: python?.path ?? "python3")
    case .apus(let ranks, _):
      let own = [Runner.executable, "measure", measurement.name] + settings.arguments
      return ranks == 1 ? own : Runner.mpirun(ranks) + own
    }
  }

  /// The command line of mpirun; the Makefile explains the options.
  private static func mpirun(_ ranks: Int) -> [String] {
    let isCrowded = ranks > sysconf(Int32(_SC_NPROCESSORS_ONLN))
    return ["mpirun", "-np", "\(ranks)", "--use-hwthread-cpus", "--timeout", "900"]
      + (getuid() == 0 ? ["--allow-run-as-root"] : [])
      + (isCrowded ? ["--oversubscribe", "--mca", "mpi_yield_when_idle", "1"] : [])
  }

  private static let executable =
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
    ?? CommandLine.arguments[0]
}
