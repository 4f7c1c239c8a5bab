import DataParallel
import Foundation
import MPI
import Tensors
import TestWorld
import Testing

@testable import Training

/// The peak is measured once and then read from the cache; all ranks agree on which.
@Suite(.serialized, .worldInTurn) struct MachinePeakTests {
  private let world: Communicator
  private let folder: SharedFolder

  init() throws {
    world = try SharedWorld.communicator()
    folder = try SharedFolder(world)
  }

  private var file: URL { URL(fileURLWithPath: "\(folder.path)/cache/apus/peak.json") }

  /// Returns the peak of matrix products, and how often it was measured on this rank.
  private func peak(measuring products: Double) throws -> (products: Double, measured: Int) {
    var measured = 0
    let peak = try MachinePeak.peak(of: world, file: file) {
      measured += 1
      return (products, 2 * products)
    }
    try world.barrier()
    #expect(peak.memory == 2 * peak.products)
    return (peak.products, measured)
  }

  private func write(_ text: String) throws {
    if world.rank == 0 { try Data(text.utf8).write(to: file) }
    try world.barrier()
  }

  @Test func thePeakIsMeasuredOnceForAllRanksOfAHost() throws {
    let size = Double(world.size)
    #expect(try peak(measuring: 3) == (3 * size, 1))
    #expect(try peak(measuring: 5) == (3 * size, 0))
  }

  /// A benchmark that another program slowed does not let a step exceed the peak.
  @Test func noRateExceedsThePeak() throws {
    let replicas = try DataParallel(
      world: world, layout: ParameterLayout(), frozen: nil,
      plan: .init(microBatches: 4, threads: 1, cores: nil, precision: .fp32)
    ) { $0 }
    var peak = try MachinePeak(of: replicas)
    let first = peak.flopsPerSecond
    #expect(peak.fraction(first / 4) == 0.25 && peak.flopsPerSecond == first)
    #expect(peak.fraction(2 * first) == 1)
    #expect(peak.fraction(first) == 0.5)
  }

  @Test func aDamagedOrOldFileIsReplacedByANewMeasurement() throws {
    #expect(try peak(measuring: 1).measured == 1)
    let now = Date.now.timeIntervalSince1970
    let record = { (measured: Double, products: String) in
      #"{"measured":\#(measured),"peak":{"memory":14,"products":\#(products)}}"#
    }
    for text in [
      "", "{", #"{"memory":14,"products":7}"#, record(now, "0"), record(now, "-7"),
      record(now - 31 * 86_400, "7"), record(now + 86_400, "7"),
    ] {
      try write(text)
      #expect(try peak(measuring: 2) == (2 * Double(world.size), 1), "\(text)")
      #expect(try peak(measuring: 3).measured == 0, "\(text)")
    }
    try write(record(now - 29 * 86_400, "7"))
    #expect(try peak(measuring: 2) == (7, 0))
  }

  /// The first of three runs measures the peak; step lines and profiles of all three use it.
  @Test func allRunsShareOneFile() throws {
    let cache = try #require(ProcessInfo.processInfo.environment["XDG_CACHE_HOME"])
    let files = { [world] () throws -> [String] in
      // The cache of rank 0, which writes the file of this host.
      try world.barrier()
      guard world.rank == 0 else { return [] }
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(cache)/apus").sorted()
      return try names.map {
        $0 + (try String(contentsOfFile: "\(cache)/apus/\($0)", encoding: .utf8))
      }
    }
    let run = { [folder] (resume: TrainingRun.Resume, profiles: Bool) in
      _ = try folder.attempt(
        "steps=1", "precision=fp32", threads: 3, resume: resume, profiles: profiles)
    }
    try run(.auto, false)
    let first = try files()
    try run(.never, true)
    try run(.never, false)
    #expect(try files() == first && first.isEmpty == (world.rank != 0))
  }
}
