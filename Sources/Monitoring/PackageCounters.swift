import Files

/// The energy counters of this host's CPU packages (RAPL), as Linux shows them under powercap.
///
///     /sys/class/powercap/intel-rapl:0/name                   package-0
///     /sys/class/powercap/intel-rapl:0/energy_uj              microjoules since some moment
///     /sys/class/powercap/intel-rapl:0/max_energy_range_uj    the value after which it is 0 again
///
/// AMD's packages have the same names. Only packages count: the domains within them
/// (`intel-rapl:0:0`: cores, uncore, memory) and the zones of another interface to the same
/// counters (`intel-rapl-mmio`) would be counted twice, and `psys`, the whole board, contains them.
///
/// Source: Linux, Documentation/power/powercap/powercap.rst.
package struct PackageCounters: Sendable {
  /// A counter and its last value.
  private struct Counter {
    let path: String
    /// Microjoules before the counter begins anew; nil if the system does not tell.
    let range: Int?
    /// The last value; nil when it could not be read.
    var value: Int?
  }

  /// The folder of the kernel's counters.
  package static let systemFolder = "/sys/class/powercap"

  /// More watts than any package takes; a higher result is that of a counter that was reset.
  private static let mostWatts = 2000.0

  private var counters: [Counter] = []
  /// The mean power in the last interval, by counter; nil before the first.
  private var watts: [Double?] = []

  /// Reads the counters in `folder` for the first time; nil when there is none, or when one of them
  /// may not be read, as by a user who is not root.
  package init?(folder: String = systemFolder) {
    let names = (try? FileSystem.names(in: folder)) ?? []
    for name in names.sorted() where Self.isTopZone(name) {
      let zone = "\(folder)/\(name)"
      guard TextFile.contents("\(zone)/name")?.hasPrefix("package-") == true else { continue }
      let path = "\(zone)/energy_uj"
      guard let value = Self.number(in: path) else { return nil }
      counters.append(
        Counter(
          path: path,
          range: Self.number(in: "\(zone)/max_energy_range_uj").flatMap { $0 > 0 ? $0 : nil },
          value: value))
    }
    if counters.isEmpty { return nil }
    watts = Array(repeating: nil, count: counters.count)
  }

  /// Returns the joules of all packages since the last call, `seconds` ago; nil when a counter cannot
  /// be read or its value makes no sense, and the next call starts from what was read now.
  package mutating func lap(seconds: Double) -> Double? {
    var joules: Double? = 0
    for index in counters.indices {
      let own = lap(of: index, seconds: seconds)
      joules = joules.flatMap { sum in own.map { sum + $0 } }
    }
    return joules
  }

  private mutating func lap(of index: Int, seconds: Double) -> Double? {
    let counter = counters[index]
    let read = Self.number(in: counter.path)
    counters[index].value = read
    // The energy of an interval in which the counter could not be read is modelled.
    guard let value = read, let last = counter.value else { return nil }
    let expected = watts[index].map { $0 * seconds * 1e6 }
    guard
      let microjoules = Self.difference(
        from: last, to: value, range: counter.range, expected: expected),
      microjoules <= Self.mostWatts * max(seconds, 0.01) * 1e6
    else { return nil }
    watts[index] = seconds > 0 ? microjoules / 1e6 / seconds : watts[index]
    return microjoules / 1e6
  }

  /// Returns the microjoules between two values of a counter; nil when it went backwards and its range
  /// is not known, and when it is beyond its range.
  ///
  /// In a long interval the counter may have begun anew several times: of all possible differences
  /// the closest to `expected` is meant, the smallest without an expectation.
  static func difference(from last: Int, to value: Int, range: Int?, expected: Double?) -> Double? {
    let difference = Double(value) - Double(last)
    guard let range else { return difference >= 0 ? difference : nil }
    guard last <= range, value <= range else { return nil }
    let fewest = difference < 0 ? 1.0 : 0.0
    let likely = (((expected ?? 0) - difference) / Double(range)).rounded()
    return difference + Double(range) * max(fewest, likely)
  }

  /// True for `intel-rapl:N`.
  private static func isTopZone(_ name: String) -> Bool {
    let parts = name.split(separator: ":", omittingEmptySubsequences: false)
    return parts.count == 2 && parts[0] == "intel-rapl" && Int(parts[1]) != nil
  }

  /// The number in the file at `path`, not negative.
  private static func number(in path: String) -> Int? {
    TextFile.contents(path).flatMap { Int($0.prefix { $0 != "\n" }) }.flatMap {
      $0 >= 0 ? $0 : nil
    }
  }
}
