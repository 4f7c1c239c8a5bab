import DataParallel
import Datasets
import Foundation
import MPI
import Monitoring
import Tensors

/// What the threads of a rank can do at most: the most that was ever measured, kept in the user's
/// cache folder in a file a host and a kind of run, because a neighbour's load only takes away.
enum Calibration {
  /// Of the workers of this rank while all of its host are at work.
  ///
  /// Collective.
  static func peak<Replica>(of replicas: DataParallel<Replica>) throws -> ProfileReport.Peak {
    let host = try replicas.world.splitByHost()
    let file = file(
      of: [
        try Communicator.hostName, MatrixLibrary.description, MatrixLibrary.kernelLevel,
        replicas.plan.precision.rawValue,
        "\(host.size)×\(replicas.plan.threads)×\(replicas.plan.team)",
      ])
    let known = file.flatMap { try? Data(contentsOf: $0) }
      .flatMap { try? JSONDecoder().decode(ProfileReport.Peak.self, from: $0) }
    let (products, memory) = try replicas.measurePeaks()
    let peak = ProfileReport.Peak(
      products: max(products, known?.products ?? 0), memory: max(memory, known?.memory ?? 0))
    // What cannot be kept is measured again.
    if host.rank == 0, peak != known, let file, let text = try? JSONEncoder().encode(peak) {
      try? FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try? text.write(to: file, options: .atomic)
    }
    return peak
  }

  /// Nil where the user has no home.
  private static func file(of facts: [String]) -> URL? {
    let environment = ProcessInfo.processInfo.environment
    let cache =
      environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0) }
      ?? environment["HOME"].map { URL(fileURLWithPath: $0).appendingPathComponent(".cache") }
    let key = String(FNV1a(Array(facts.joined(separator: "\n").utf8)).value, radix: 16)
    return cache?.appendingPathComponent("apus/peak-\(key).json")
  }
}
