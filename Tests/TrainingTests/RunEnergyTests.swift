import Checkpoints
import Foundation
import MPI
import Monitoring
import TestWorld
import Testing

@testable import Training

/// The account of energy: every host counts once, and a resumed run continues it.
@Suite(.serialized, .worldInTurn) struct RunEnergyTests {
  private let world: Communicator
  private let folder: SharedFolder

  init() throws {
    world = try SharedWorld.communicator()
    folder = try SharedFolder(world)
  }

  /// Writes a package's counter on rank 0; collective.
  private func write(_ microjoules: Int, host: Int = 0) throws -> String {
    let tree = "\(folder.path)/powercap-\(host)"
    if world.rank == 0 {
      let zone = "\(tree)/intel-rapl:0"
      try FileManager.default.createDirectory(atPath: zone, withIntermediateDirectories: true)
      for (name, text) in [("name", "package-0"), ("energy_uj", "\(microjoules)")] {
        try Data((text + "\n").utf8).write(to: URL(filePath: "\(zone)/\(name)"))
      }
    }
    try world.barrier()
    return tree
  }

  /// The sum of the meters' readings over all ranks; collective.
  private func sum(_ meter: inout EnergyMeter) throws -> Energy {
    var word = ControlWord()
    word.energy = meter.lap()
    return try word.exchanged(over: world).reduce(Energy()) { $0 + $1.energy }
  }

  @Test func everyHostIsCountedOnce() throws {
    let tree = try write(1000)
    var meter = try EnergyMeter(
      on: world, wattsPerCore: 12, counters: PackageCounters(folder: tree), kernel: "k")
    _ = try write(3_001_000)
    let energy = try sum(&meter)
    #expect(energy == Energy(measured: 3))
  }

  /// Ranks with other kernels are other hosts; of those of one, the first with counters reads them.
  @Test func everyKernelIsAHost() throws {
    let host = world.rank % 2
    let trees = try [write(0, host: 0), write(0, host: 1)]
    // Rank 0 is a container that does not see its host's counters.
    let counters = world.rank == 0 ? nil : PackageCounters(folder: trees[host])
    var meter = try EnergyMeter(
      on: world, wattsPerCore: 12, counters: counters, kernel: "kernel \(host)")
    _ = try (write(1_000_000, host: 0), write(5_000_000, host: 1))
    let energy = try sum(&meter)
    switch world.size {
    case 1: #expect(energy.measured == 0 && energy.modelled > 0)
    case 2: #expect(energy.measured == 5 && energy.modelled > 0)
    default: #expect(energy == Energy(measured: 6))
    }
  }

  @Test func withoutCountersTheCPUTimeOfAllRanksCounts() throws {
    var meter = try EnergyMeter(on: world, wattsPerCore: 1e4, counters: nil)
    let before = EnergyMeter.Moment.now.cpu
    while EnergyMeter.Moment.now.cpu - before < 0.02 {}
    let energy = try sum(&meter)
    #expect(energy.measured == 0 && energy.modelled >= 200 * Double(world.size))
  }

  @Test func aResumedRunContinuesItsAccount() throws {
    let keys = ["checkpoint.every=4", "energy.gramsPerKilowattHour=400", "checkpoint.keep=9"]
    let recorders = (Recorder(), Recorder())
    try folder.attempt(keys + ["steps=6"], recorder: recorders.0)
    try folder.attempt(keys + ["steps=12"], recorder: recorders.1)
    if world.rank > 0 { return }
    let (first, second) = (recorders.0.seen.steps, recorders.1.seen.steps)
    let last = try #require(first.last?.energy)
    let next = try #require(second.first?.energy)
    #expect(first.first?.energy?.joules ?? 0 > 0)
    #expect(abs(next.total.joules - next.joules - last.total.joules) < 1e-6 * last.total.joules)
    for (one, other) in zip(second, second.dropFirst()) {
      let (before, after) = (try #require(one.energy), try #require(other.energy))
      #expect(after.joules >= 0 && after.watts >= 0)
      #expect(abs(after.total.joules - before.total.joules - after.joules) < 1e-6)
    }
    let note = try #require(recorders.1.sentences(.note).first { $0.contains("kWh") })
    #expect(note.contains("tokens per joule") && note.contains("CO₂ at 400.0 g/kWh"))
    #expect(recorders.0.sentences(.note).count { $0.contains("CO₂") } == 1)
    let state = try String(
      contentsOfFile: "\(folder.run.checkpoint(step: 12))/state.json", encoding: .utf8)
    #expect(!state.contains("oule") && !state.contains("energy"))
  }

  @Test func energyDoesNotChangeACheckpoint() throws {
    var files: [[String]] = []
    for watts in [1, 50] {
      try folder.attempt("energy.wattsPerCore=\(watts)", resume: .never)
      try world.barrier()
      let checkpoint = try Checkpoint(verifying: folder.run.checkpoint(step: 12))
      files.append(checkpoint.manifest.files.map { "\($0.name) \($0.sha256)" })
    }
    #expect(files[0] == files[1])
  }
}
