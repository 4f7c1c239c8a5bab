import DataParallel
import Datasets
import Foundation
import MPI
import Monitoring
import Tensors

/// What the threads can do at most: measured once for a host and a kind of run, and kept for 30 days
/// in the user's cache folder, so that all figures of all runs are shares of the same peak.
///
///     apus/peak-KEY.json   {"measured":1795702453,"peak":{"memory":2.1e10,"products":2.9e11}}
///
/// `measured` is in seconds since 1970, `peak` that of all ranks of the host together, KEY a hash of
/// everything that the peak depends on. What is not such a file is measured anew, and replaced.
struct Calibration {
  /// A file's content.
  private struct Record: Codable {
    let measured: Double
    let peak: ProfileReport.Peak
  }

  /// What this rank reaches while all of its host are at work.
  let own: ProfileReport.Peak
  /// Operations of matrix products a second of all ranks together.
  let products: Double

  /// Looks it up, or measures for a second.
  ///
  /// Collective.
  init<Replica>(of replicas: DataParallel<Replica>) throws {
    let host = try replicas.world.splitByHost()
    let file = Calibration.file(
      of: [
        try Communicator.hostName, RunEnvironment.processor, MatrixLibrary.description,
        MatrixLibrary.kernelLevel, replicas.plan.precision.rawValue,
        "\(host.size)×\(replicas.plan.threads)×\(replicas.plan.team)",
      ])
    let peak = try Calibration.peak(of: host, file: file) {
      try replicas.measurePeaks(beside: host)
    }
    let ranks = Double(host.size)
    own = ProfileReport.Peak(products: peak.products / ranks, memory: peak.memory / ranks)
    products = try replicas.world.allReduce(own.products, .sum)
  }

  /// The peak of all ranks of `host`: what its first rank finds in `file`, or else what all measure.
  ///
  /// Collective over `host`.
  static func peak(
    of host: Communicator, file: URL?, measure: () throws -> (products: Double, memory: Double)
  ) throws -> ProfileReport.Peak {
    let known = host.rank == 0 ? file.flatMap(read) : nil
    let told = try host.broadcast(known.map { [$0.products, $0.memory] } ?? [])
    if told.count == 2 { return ProfileReport.Peak(products: told[0], memory: told[1]) }
    let (products, memory) = try measure()
    let sums = try host.allReduce([products, memory], .sum)
    let peak = ProfileReport.Peak(products: sums[0], memory: sums[1])
    if host.rank == 0, let file { keep(peak, in: file) }
    return peak
  }

  private static func read(_ file: URL) -> ProfileReport.Peak? {
    guard let data = try? Data(contentsOf: file),
      let record = try? JSONDecoder().decode(Record.self, from: data),
      (0..<30 * 86_400).contains(Date.now.timeIntervalSince1970 - record.measured),
      record.peak.products > 0, record.peak.memory > 0
    else { return nil }
    return record.peak
  }

  /// What cannot be kept is measured again next time.
  private static func keep(_ peak: ProfileReport.Peak, in file: URL) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let record = Record(measured: Date.now.timeIntervalSince1970.rounded(.down), peak: peak)
    guard let text = try? encoder.encode(record) else { return }
    try? FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try? text.write(to: file, options: .atomic)
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
