import Files
import Foundation
import Testing

@testable import Monitoring

/// A tree of counters as the kernel has it.
struct PowercapTree {
  let folder: String

  /// Writes the zone `name`, a package unless named otherwise.
  func write(
    _ zone: String, _ name: String = "package-0", energy: String, range: String? = "262143328850"
  ) throws {
    try FileManager.default.createDirectory(
      atPath: "\(folder)/\(zone)", withIntermediateDirectories: true)
    for (file, text) in [("name", name), ("energy_uj", energy), ("max_energy_range_uj", range)] {
      let path = "\(folder)/\(zone)/\(file)"
      if let text {
        try Data((text + "\n").utf8).write(to: URL(filePath: path))
      } else {
        try? FileManager.default.removeItem(atPath: path)
      }
    }
  }
}

@Suite struct EnergyTests {
  private func withTree(_ body: (PowercapTree) throws -> Void) throws {
    try withFolder { try body(PowercapTree(folder: $0)) }
  }

  @Test func packagesAloneCount() throws {
    try withTree { tree in
      let zones = [
        ("intel-rapl:0", "package-0"), ("intel-rapl:1", "package-1-die-0"),
        ("intel-rapl:0:0", "core"), ("intel-rapl:0:1", "package-9"), ("intel-rapl:2", "psys"),
        ("intel-rapl-mmio:0", "package-0"), ("dtpm:0", "package-0"), ("intel-rapl", "package-0"),
      ]
      for (zone, name) in zones { try tree.write(zone, name, energy: "100") }
      var counters = try #require(PackageCounters(folder: tree.folder))
      for (zone, name) in zones { try tree.write(zone, name, energy: "500100") }
      #expect(counters.lap(seconds: 1) == 1)
      #expect(counters.lap(seconds: 1) == 0)
    }
  }

  @Test func hostsWithoutReadableCountersHaveNone() throws {
    #expect(PackageCounters(folder: "/nowhere") == nil)
    try withTree { tree in
      #expect(PackageCounters(folder: tree.folder) == nil)
      try tree.write("intel-rapl:0", "psys", energy: "1")
      #expect(PackageCounters(folder: tree.folder) == nil)
      // A package of several that cannot be read would make the sum too small.
      try tree.write("intel-rapl:1", energy: "1")
      #expect(PackageCounters(folder: tree.folder) != nil)
      for odd in ["", "-3", "many", "99999999999999999999", "1e6"] {
        try tree.write("intel-rapl:2", energy: odd)
        #expect(PackageCounters(folder: tree.folder) == nil, "\(odd)")
      }
    }
  }

  @Test func aCounterBeginsAnew() throws {
    try withTree { tree in
      func write(_ energy: String) throws {
        try tree.write("intel-rapl:0", energy: energy, range: "1000000")
      }
      try write("900000")
      var counters = try #require(PackageCounters(folder: tree.folder))
      try write("200000")
      #expect(counters.lap(seconds: 1) == 0.3)
      try write("500000")
      #expect(counters.lap(seconds: 1) == 0.3)
      // Ten seconds at 0.3 W are three times the range of 1 J.
      try write("510000")
      #expect(counters.lap(seconds: 10) == 3.01)
    }
  }

  /// Each of these values makes no sense; the interval has no result, and the next one has.
  @Test(arguments: [
    ("100", nil as String?), ("100", "0"), ("100", "-5"), ("100", "x"), ("2000000100", "1000000"),
    ("", "1000000"), ("-7", "1000000"), ("99999999999999999999", nil), ("9223372036854775807", nil),
    ("100", "4000000000"),
  ])
  func oddValuesAreNotCounted(energy: String, range: String?) throws {
    try withTree { tree in
      try tree.write("intel-rapl:0", energy: "500000", range: range)
      var counters = try #require(PackageCounters(folder: tree.folder))
      try tree.write("intel-rapl:0", energy: energy, range: range)
      #expect(counters.lap(seconds: 1) == nil)
      try tree.write("intel-rapl:0", energy: "600000", range: range)
      _ = counters.lap(seconds: 1)
      try tree.write("intel-rapl:0", energy: "700000", range: range)
      #expect(counters.lap(seconds: 1) == 0.1)
      try FileManager.default.removeItem(atPath: "\(tree.folder)/intel-rapl:0")
      #expect(counters.lap(seconds: 1) == nil)
    }
  }

  /// A reading is taken in every step, the fastest of which take a millisecond.
  @Test func aReadingTakesLittleTime() throws {
    try withTree { tree in
      for zone in 0..<2 { try tree.write("intel-rapl:\(zone)", energy: "5") }
      let counters = try #require(PackageCounters(folder: tree.folder))
      var meter = EnergyMeter(.counters(counters, processes: 1), wattsPerCore: 12)
      let start = EnergyMeter.Moment.now
      for _ in 0..<200 { _ = meter.lap() }
      let seconds = (EnergyMeter.Moment.now.cpu - start.cpu) / 200
      print("a reading of two packages: \(seconds * 1e6) µs of CPU time")
      #expect(seconds < 1e-3)
    }
  }

  @Test func aMeterFallsBackOnItsModel() throws {
    try withTree { tree in
      try tree.write("intel-rapl:0", energy: "0")
      let counters = try #require(PackageCounters(folder: tree.folder))
      let start = EnergyMeter.Moment(clock: 100, cpu: 7)
      var meter = EnergyMeter(.counters(counters, processes: 3), wattsPerCore: 10, at: start)
      try tree.write("intel-rapl:0", energy: "900000")
      #expect(meter.lap(at: .init(clock: 101, cpu: 8)) == Energy(measured: 0.9))
      try tree.write("intel-rapl:0", energy: "none")
      #expect(meter.lap(at: .init(clock: 102, cpu: 10)) == Energy(modelled: 60))
      var model = EnergyMeter(.model, wattsPerCore: 10, at: start)
      #expect(model.lap(at: .init(clock: 101, cpu: 8.5)) == Energy(modelled: 15))
      // The clock of a virtual machine went back.
      #expect(model.lap(at: .init(clock: 50, cpu: 8)) == Energy())
      var silent = EnergyMeter(.silent, wattsPerCore: 10, at: start)
      #expect(silent.lap(at: .init(clock: 101, cpu: 8)) == Energy())
    }
  }

  @Test func theModelCountsTheCPUTimeOfThisProcess() {
    var meter = EnergyMeter(.model, wattsPerCore: 12)
    let start = EnergyMeter.Moment.now
    var sum = 0.0
    while EnergyMeter.Moment.now.cpu - start.cpu < 0.05 { sum += 1 }
    let energy = meter.lap()
    #expect(energy.modelled >= 0.6 && energy.measured == 0 && sum > 0)
  }

  @Test func theSentenceTellsTheOrigin() {
    func sentence(_ energy: Energy, grams: Double? = nil) -> String {
      energy.sentence(tokens: 7.2e6, wattsPerCore: 12, gramsPerKilowattHour: grams)
    }
    #expect(
      sentence(Energy(modelled: 3.6e5))
        == "0.100 kWh, modelled as CPU time × 12.0 W per core (energy.wattsPerCore); 20.0 tokens per "
        + "joule")
    #expect(
      sentence(Energy(measured: 7.2e6), grams: 400)
        == "2.00 kWh, measured by the energy counters of the CPU packages; 1.00 tokens per joule; "
        + "800 g of CO₂ at 400.0 g/kWh")
    #expect(
      sentence(Energy(measured: 5.4e9, modelled: 1.8e9), grams: 400)
        == "2000 kWh, 25 % of it modelled as CPU time × 12.0 W per core (energy.wattsPerCore), the "
        + "rest measured by the energy counters of the CPU packages; 0.00100 tokens per joule; 800 kg "
        + "of CO₂ at 400.0 g/kWh")
    #expect(sentence(Energy()).hasPrefix("0 kWh, "))
  }

  @Test func theEnergyOfARunIsInItsMetrics() throws {
    try withFolder { folder in
      let path = folder + "/metrics.jsonl"
      #expect(MetricsFile.energy(in: path) == nil)
      let metrics = try MetricsFile(path: path, resumingAfter: nil, date: { 0 })
      try metrics.step(report(1))
      try metrics.finish()
      #expect(MetricsFile.energy(in: path) == nil)
      for step in 2...3000 {
        var report = report(step)
        report.energy = StepEnergy(
          joules: 36, watts: 18,
          total: Energy(measured: 9 * Double(step), modelled: 27 * Double(step)))
        try metrics.step(report)
      }
      try metrics.evaluation(evaluation(3000))
      try metrics.finish()
      let energy = try #require(MetricsFile.energy(in: path))
      #expect(abs(energy.measured - 27_000) < 1e-6 && abs(energy.modelled - 81_000) < 1e-6)
      let line = try text(path).split(separator: "\n")[2999]
      #expect(line.contains(#""joules":36.0,"kilowattHours":0.03,"kilowattHoursModelled":0.0225,"#))
      // A torn last line and hostile numbers do not count.
      let whole = try text(path)
      for tail in [
        "{\"step\":3001,\"kilowattHours\":1,\"kilow",
        "{\"step\":3001,\"kilowattHours\":1e999,\"kilowattHoursModelled\":0}\n",
        "{\"step\":3001,\"kilowattHours\":-1,\"kilowattHoursModelled\":-1}\n",
        "{\"step\":3001,\"kilowattHours\":1,\"kilowattHoursModelled\":2}\n",
        String(repeating: "\0", count: 5000),
      ] {
        try Data((whole + tail).utf8).write(to: URL(filePath: path))
        #expect(MetricsFile.energy(in: path) == energy, "\(tail)")
      }
    }
  }

  @Test func thePowerIsInTheLineWhereThereIsRoom() {
    var report = report(1200)
    report.energy = StepEnergy(joules: 100, watts: 215, total: Energy(measured: 100))
    #expect(
      ProgressText.line(report, eta: 17)
        == "step  1200/2000  loss 1.5123  lr 4.2e-04  norm 0.71  21.3k tok/s  64% of peak    215 W  "
        + "eta 0:17")
    #expect(
      ProgressText.line(report, eta: 17, width: 90)
        == "step  1200/2000  loss 1.5123  lr 4.2e-04  norm 0.71  21.3k tok/s  64% of peak  eta 0:17"
    )
  }
}
