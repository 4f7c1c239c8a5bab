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
    var versions = peers
    versions["products"] = MatrixLibrary.description
    versions["kernels"] = MatrixLibrary.kernelLevel
    versions["MPI"] = MPIEnvironment.libraryVersion
    return Machine(
      processor: fields["cpu"]?.string ?? "unknown", cores: fields["cpuCores"]?.integer ?? 0,
      threads: threads, memoryBytes: fields["memoryBytes"]?.integer ?? 0,
      system: fields["system"]?.string ?? "unknown", versions: versions,
      commit: fields["commit"]?.string)
  }
}
