// "Measures this machine, and how much of it Apus uses. No other module depends on it."

import MPI

/// A set of measurements, each in its own process; the processes run in turn: A, B, A, B.
struct Benchmark: Sendable {
  /// The name for `--only`, in parts separated by dots.
  let name: String
  /// A description in one line.
  let summary: String
  /// The measurements of one turn, in order.
  var measurements: [Measurement]
  /// The comparisons between measurements, turn by turn.
  var ratios: [Ratio] = []

  /// True when `selection` is this name or its first parts.
  func matches(_ selection: String) -> Bool {
    (name + ".").hasPrefix(selection + ".")
  }
}

/// The measurement of one process.
struct Measurement: Sendable {
  /// The name of its figures, unique among all benchmarks.
  let name: String
  /// The title in the table, of at most `Table.titleWidth` characters.
  let title: String
  /// The measured quantities; the first has the row with the measurement's title.
  let quantities: [Quantity]
  let source: Source

  /// The program that does the work.
  enum Source: Sendable {
    /// This program on the given number of ranks, all of which call the closure.
    case apus(ranks: Int, @Sendable (Communicator) throws -> Reading)
    /// Another program that does the same work.
    case peer(Peer)
  }
}

/// The values measured by a process, by the keys of its quantities.
///
/// The optional key `work` counts the results; measurements with different counts are not compared.
typealias Reading = [String: Double]

/// A measured quantity.
struct Quantity: Sendable {
  /// The key in a reading.
  let key: String
  let unit: String
  let higherIsBetter: Bool

  /// A rate in `unit`; higher is better.
  static func rate(_ unit: String) -> Quantity {
    Quantity(key: "rate", unit: unit, higherIsBetter: true)
  }

  /// The peak resident memory of the process, or of rank 0.
  static let memory = Quantity(key: "memory", unit: "MiB", higherIsBetter: false)
}

/// The ratio of a quantity between two measurements.
struct Ratio: Sendable {
  /// Name of a measurement of the same benchmark.
  let numerator: String
  let denominator: String
  /// The name of the denominator in the table, such as "PyTorch".
  let against: String
  /// The compared quantity, without its unit.
  var quantity = Quantity.rate("×")
  /// True when the denominator is an upper bound, so that the ratio is shown in percent.
  var isOfLimit = false

  /// True when rates are compared, the default.
  var isOfRates: Bool { quantity.key == "rate" }

  /// The name of the figure.
  var name: String {
    "\(numerator)/\(denominator)" + (isOfRates ? "" : ".\(quantity.key)")
  }
}
