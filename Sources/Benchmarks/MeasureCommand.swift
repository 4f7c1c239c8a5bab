import ArgumentParser
import Foundation
import MPI
import Tensors

/// `apus-bench measure`: makes one measurement in this process, or as one of several ranks, and
/// prints it as one line of JSON.
struct MeasureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure", abstract: "Run one measurement in this process and print a JSON line.")

  @OptionGroup var settings: Settings

  @Argument(help: "Name of the measurement, as in latest.json.")
  var name: String

  func run() throws {
    let measurements = Catalogue.benchmarks(settings).flatMap(\.measurements)
    guard let measurement = measurements.first(where: { $0.name == name }),
      case .apus(let ranks, let measure) = measurement.source
    else {
      throw Refusal(
        "\(name) is not a measurement of Apus: give a name from \(settings.output)/latest.json.",
        code: 64)
    }
    let environment = try MPIEnvironment()
    let world = environment.world
    guard world.size == ranks else {
      throw Refusal(
        "\(name) needs \(ranks) ranks, not \(world.size): run mpirun -np \(ranks) apus-bench "
          + "measure \(name).", code: 64)
    }
    MatrixLibrary.useCallingThreadOnly()
    do {
      let reading = try measure(world)
      guard world.rank == 0 else { return }
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      print(String(decoding: try encoder.encode(reading), as: UTF8.self))
    } catch {
      guard world.size > 1 else { throw error }
      Refusal.report("\(error)")
      world.abort(code: (error as? Refusal)?.code ?? 1)
    }
  }
}
