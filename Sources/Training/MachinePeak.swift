import DataParallel
import Files
import Foundation
import MPI
import Monitoring
import Tensors

/// The peak matrix-product speed and memory bandwidth of the machine.
///
/// It is measured once for a host and a kind of run and kept for 30 days in the user's cache
/// folder, so that the utilisation figures of all runs refer to the same peak.
///
///     apus/peak-KEY.json   {"measured":1795702453,"peak":{"memory":2.1e10,"products":2.9e11}}
///
/// `measured` is in seconds since 1970; `peak` is the sum over all ranks of the host, `products` in
/// FLOP/s and `memory` in bytes/s; KEY is a hash of everything that the peak depends on. A file
/// that is damaged, invalid or too old is replaced by a new measurement.
package struct MachinePeak {
  /// The content of the file.
  private struct Record: Codable {
    let measured: Double
    let peak: ProfileReport.Peak
  }

  /// The peak of this rank while all ranks of its host are at work.
  package let own: ProfileReport.Peak
  /// FLOP/s of the matrix products of all ranks together.
  package private(set) var flopsPerSecond: Double

  /// Reads the peak from the cache, or measures it for a second.
  ///
  /// Collective.
  package init<Replica>(of replicas: DataParallel<Replica>) throws {
    let host = try replicas.world.splitByHost()
    let file = MachinePeak.file(
      of: [
        try Communicator.hostName, RunEnvironment.processor, MatrixLibrary.description,
        MatrixLibrary.kernelLevel, replicas.plan.precision.rawValue,
        "\(host.size)×\(replicas.plan.threads)×\(replicas.plan.team)",
      ])
    let peak = try MachinePeak.peak(of: host, file: file) {
      try replicas.measurePeaks(beside: host)
    }
    // The fastest measurements of threads that share a core are those of a whole core.
    let threads = host.size * replicas.plan.threads * replicas.plan.team
    let cores = Cores.survey().allowed.count
    let part = Cores.fraction(threads: threads, cores: cores) / Double(host.size)
    own = ProfileReport.Peak(products: part * peak.products, memory: part * peak.memory)
    flopsPerSecond = try replicas.world.allReduce(own.products, .sum)
  }

  /// Returns `rate`, in FLOP/s of all ranks together, as a fraction of the peak.
  ///
  /// A rate above the peak becomes the peak: the benchmark was slowed by another program, or it runs
  /// on smaller products than the step.
  package mutating func fraction(_ rate: Double) -> Double {
    flopsPerSecond = max(flopsPerSecond, rate)
    return rate / flopsPerSecond
  }

  /// Returns the summed peak of all ranks of `host`: from `file`, which its first rank reads, or
  /// else measured by every rank.
  ///
  /// Collective over `host`.
  package static func peak(
    of host: Communicator, file: URL?, measure: () throws -> (products: Double, memory: Double)
  ) throws -> ProfileReport.Peak {
    let cached = host.rank == 0 ? file.flatMap(read) : nil
    let shared = try host.broadcast(cached.map { [$0.products, $0.memory] } ?? [])
    if shared.count == 2 { return ProfileReport.Peak(products: shared[0], memory: shared[1]) }
    let (products, memory) = try measure()
    let sums = try host.allReduce([products, memory], .sum)
    let peak = ProfileReport.Peak(products: sums[0], memory: sums[1])
    if host.rank == 0, let file { keep(peak, in: file) }
    return peak
  }

  private static func read(_ file: URL) -> ProfileReport.Peak? {
    guard let bytes = try? InputFile.contents(of: file.path),
      let record = try? JSONDecoder().decode(Record.self, from: Data(bytes)),
      (0..<30 * 86_400).contains(Date.now.timeIntervalSince1970 - record.measured),
      record.peak.products > 0, record.peak.memory > 0
    else { return nil }
    return record.peak
  }

  /// Errors are ignored: a peak that cannot be kept is measured again next time.
  private static func keep(_ peak: ProfileReport.Peak, in file: URL) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let record = Record(measured: Date.now.timeIntervalSince1970.rounded(.down), peak: peak)
    guard let text = try? encoder.encode(record) else { return }
    try? FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try? text.write(to: file, options: .atomic)
  }

  /// The cache file for these facts; nil when the user has no home folder.
  private static func file(of facts: [String]) -> URL? {
    let environment = ProcessInfo.processInfo.environment
    let cache =
      environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0) }
      ?? environment["HOME"].map { URL(fileURLWithPath: $0).appendingPathComponent(".cache") }
    let key = String(FNV1a(Array(facts.joined(separator: "\n").utf8)).value, radix: 16)
    return cache?.appendingPathComponent("apus/peak-\(key).json")
  }
}
