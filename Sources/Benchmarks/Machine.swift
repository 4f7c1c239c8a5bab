import MPI
import Monitoring
import Tensors

/// The machine of the measurements.
struct Machine: Codable, Equatable {
  /// The name of the processor.
  var processor: String
  var cores: Int
  /// Number of threads of the benchmarks.
  var threads: Int
  var memoryBytes: Int
  /// Kernel and architecture.
  var system: String
  /// Versions of libraries and peers, by name.
  var versions: [String: String]
  var commit: String?

  /// True when figures of both machines can be compared.
  func isLike(_ other: Machine) -> Bool {
    processor == other.processor && cores == other.cores && threads == other.threads
  }

  static func current(threads: Int, peers: [String: String]) -> Machine {
    MatrixLibrary.useCallingThreadOnly()
    let environment = RunEnvironment(versions: [:], hosts: [], ranks: 1, threads: threads)
    let fields = Dictionary(
      environment.fields.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    func text(_ name: String) -> String? {
      if case .string(let text) = fields[name] { text } else { nil }
    }
    func number(_ name: String) -> Int {
      if case .integer(let number) = fields[name] { number } else { 0 }
    }
    var versions = peers
    versions["products"] = MatrixLibrary.description
    versions["kernels"] = MatrixLibrary.kernelLevel
    versions["MPI"] = MPIEnvironment.libraryVersion
    return Machine(
      processor: text("cpu") ?? "unknown", cores: number("cpuCores"), threads: threads,
      memoryBytes: number("memoryBytes"), system: text("system") ?? "unknown",
      versions: versions, commit: text("commit"))
  }
}
