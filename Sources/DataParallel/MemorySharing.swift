import MPI
import Tensors

/// The choice between the exchange through the memory of hosts and that of messages between all
/// ranks, which all ranks make together.
final class MemorySharing: @unchecked Sendable {
  // Sendable: one thread at a time makes the collective calls, in the same order on every rank.
  private let topology: HostTopology?
  private let reduction: GradientReduction
  private var hostSum: HostSum?
  private var hostGather: HostGather?
  /// Why memory is not shared, as the clause of a sentence; nil when it is, or need not be.
  private(set) var refusal: String?
  /// True after a rank could not map another's memory.
  private var isRefused = false

  /// Finds the ranks that share a host.
  ///
  /// Collective, unless `ranksPerHost` is 1.
  ///
  /// - Parameters:
  ///   - ranksPerHost: The hosts of a test, which need not be worth it; see `DataParallel.Plan`.
  ///   - elements: The elements of the flat gradient.
  init(
    _ world: Communicator, _ ranksPerHost: Int?, _ reduction: GradientReduction, elements: Int
  ) throws {
    self.reduction = reduction
    switch try HostTopology.find(world, ranksPerHost: ranksPerHost) {
    case .single: topology = nil
    case .hosts(let found):
      let isWorthIt =
        ranksPerHost != nil || Self.isWorthIt(hosts: found.hosts.count, elements: elements)
      topology = isWorthIt ? found : nil
    case .scattered:
      topology = nil
      // There are several hosts.
      guard Self.isWorthIt(hosts: 2, elements: elements) else { return }
      refusal =
        "the ranks of a host do not follow one another; place them by slot (mpirun --map-by slot)"
    }
  }

  /// True when the exchange has two levels.
  ///
  /// Between hosts the ranks of a host wait for each other twice more for every bucket. With buckets
  /// below 1 MiB that takes longer than the bytes which it saves.
  static func isWorthIt(hosts: Int, elements: Int) -> Bool {
    hosts == 1 || Buckets(count: elements, ranks: 1).ranges.contains { $0.count >= 1 << 18 }
  }

  /// True when buffers should lie in memory that other ranks can map.
  var isPossible: Bool { topology != nil }

  /// True when gradients are summed in shared memory.
  ///
  /// Between hosts a fast reduction rounds what each rank sends to bf16, which halves the bytes of two
  /// ranks as sums of hosts would.
  var sumsGradients: Bool {
    topology.map { reduction == .exact || $0.hosts.count == 1 } ?? false
  }

  /// The bytes that this rank has sent to the leaders of other hosts.
  var bytesSent: Int { topology?.leaders?.traffic.bytesSent ?? 0 }

  /// Returns the sum through shared memory, or nil for that through messages.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - parts: The parts of this rank, the same buffers in every step.
  ///   - roots: The subtrees of each rank.
  func sum(
    of parts: [FlatBuffer], _ roots: [[Subtree]], _ buckets: Buckets, _ world: Communicator
  ) throws -> HostSum? {
    guard let topology, sumsGradients, !isRefused else { return nil }
    if hostSum == nil {
      hostSum = try sharing {
        try HostSum(parts, of: reduction == .exact ? roots : nil, topology, buckets, world)
      }
    }
    return hostSum
  }

  /// Returns the all-gather through shared memory, or nil for that through messages.
  ///
  /// Collective.
  func gather(
    _ parameters: FlatBuffer, _ buckets: Buckets, _ world: Communicator
  ) throws -> HostGather? {
    guard let topology, !isRefused else { return nil }
    if hostGather == nil {
      hostGather = try sharing { try HostGather(parameters, topology, buckets, world) }
    }
    return hostGather
  }

  /// Returns `refusal`, and forgets it.
  func takeRefusal() -> String? {
    defer { refusal = nil }
    return refusal
  }

  /// Returns the result of `connect`, or nil when a rank cannot share its memory.
  private func sharing<Value>(_ connect: () throws -> Value) throws -> Value? {
    do {
      return try connect()
    } catch let error as HostBuffers.Refusal {
      isRefused = true
      refusal = "\(error)"
      return nil
    }
  }
}
