// "What this machine can do, and how much of it Apus uses. Nothing else depends on it."

import MPI

/// Something measured in processes of their own, which run in turn: A, B, A, B.
struct Benchmark: Sendable {
  /// The name for `--only`, in parts separated by dots.
  let name: String
  /// What it tells, in a line.
  let summary: String
  /// The processes of one turn, in order.
  var measurements: [Measurement]
  /// Which of them are compared, turn by turn.
  var ratios: [Ratio] = []

  /// Whether `selection` is this name or its first parts.
  func matches(_ selection: String) -> Bool {
    (name + ".").hasPrefix(selection + ".")
  }
}

/// What one process measures.
struct Measurement: Sendable {
  /// The name of its figures, unique among all benchmarks.
  let name: String
  /// What is measured, for a reader; at most `Table.titleWidth` characters.
  let title: String
  /// What it gives; the first stands in the table under the measurement's title.
  let quantities: [Quantity]
  /// How it is done.
  let source: Source

  /// Who does the work.
  enum Source: Sendable {
    /// This program on so many ranks, all of which call the closure.
    case apus(ranks: Int, @Sendable (Communicator) throws -> Reading)
    /// A program that does the same work.
    case peer(Peer)
  }
}

/// What a process found, by the keys of its quantities.
///
/// `work`, where it is there, counts what was made; measurements of which it differs are not compared.
typealias Reading = [String: Double]

/// Something that can be measured.
struct Quantity: Sendable {
  /// The key in a reading.
  let key: String
  let unit: String
  let higherIsBetter: Bool

  /// More of it in the same time is better.
  static func rate(_ unit: String) -> Quantity {
    Quantity(key: "rate", unit: unit, higherIsBetter: true)
  }

  /// The most memory that the process, or its first rank, ever had.
  static let memory = Quantity(key: "memory", unit: "MiB", higherIsBetter: false)
}

/// How many times a quantity of one measurement another's is.
struct Ratio: Sendable {
  /// Names of measurements of the same benchmark.
  let numerator: String
  let denominator: String
  /// What the denominator is, for a reader: "PyTorch".
  let against: String
  /// What is compared; its unit falls away.
  var quantity = Quantity.rate("×")
  /// Whether the denominator is a limit, of which a reader wants the share.
  var isOfLimit = false

  /// Whether rates are compared, as where nothing else is said.
  var isOfRates: Bool { quantity.key == "rate" }

  /// The name of its figure.
  var name: String {
    "\(numerator)/\(denominator)" + (isOfRates ? "" : ".\(quantity.key)")
  }
}
