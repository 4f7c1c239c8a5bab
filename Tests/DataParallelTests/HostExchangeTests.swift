import MPI
import Optimizers
import TestWorld
import Testing

@testable import DataParallel
@testable import Tensors

/// The exchange through the memory of hosts, on the ranks that the tests were started with.
///
/// All ranks share one host. With `ranksPerHost`, several consecutive ones count as a host, and hosts
/// exchange messages.
@Suite(.serialized, .worldInTurn) struct HostExchangeTests {
  private typealias Plan = DataParallel<SmallNetwork>.Plan

  private static var world: Communicator { get throws { try SharedWorld.communicator() } }

  /// Both paths: without shared memory, and hosts of one, two and three ranks or all.
  @Test(arguments: [1, 2, 3, nil], [1, 2, 4, 16])
  func theBitsAreThoseOfTheReference(ranksPerHost: Int?, microBatches: Int) throws {
    let expected = SmallNetwork.trainReference(microBatches: microBatches)
    for threads in 1...3 {
      let result = try SmallNetwork.train(
        Self.world,
        Plan(microBatches: microBatches, threads: threads, ranksPerHost: ranksPerHost))
      let isEqual = result.weights == expected.weights
      #expect(isEqual, "\(threads)")
      for (norm, expected) in zip(result.norms, expected.norms) {
        #expect(abs(norm - expected) < 1e-9 * expected)
      }
    }
  }

  /// Ranks that go on earlier than others do not change what these still read.
  @Test(arguments: [2, nil]) func ranksOfDifferentSpeedDoNotDisturbEachOther(
    ranksPerHost: Int?
  ) throws {
    let world = try Self.world
    let replicas = try SmallNetwork.replicas(
      world, Plan(microBatches: 4, threads: 1, ranksPerHost: ranksPerHost))
    let sums = try (0..<40).map { turn in
      let gradient = try replicas.gradient { network, workspace, microBatch in
        if turn % world.size == world.rank { pause(milliseconds: 2) }
        return network.loss(workspace, microBatch: microBatch)
      }
      defer { if turn % world.size != world.rank { gradient.buffer.elements.update(repeating: 0) } }
      if turn % world.size == world.rank { pause(milliseconds: 2) }
      return gradient.ranges.map { Array(gradient.buffer.elements[$0]) }
    }
    let areEqual = sums.allSatisfy { $0 == sums[0] }
    #expect(areEqual)
    let before = Array(replicas.parameters.elements)
    for turn in 0..<20 {
      try replicas.gatherParameters()
      // What a rank writes after the call, no other may have read.
      let isEqual = before == Array(replicas.parameters.elements)
      #expect(isEqual, "\(turn)")
      replicas.parameters.elements.update(repeating: Float(turn))
      _ = replicas.parameters.elements.update(from: before)
    }
  }

  private func pause(milliseconds: Int) {
    var clock = Stopwatch()
    var seconds = 0.0
    while seconds < Double(milliseconds) / 1000 { seconds += clock.lap() }
  }

  /// The leaders of H hosts send (H−1)/H of the gradient and of the weights per host, however many
  /// ranks it has; on one host nothing of them travels as a message.
  @Test(arguments: [2, nil]) func onlyLeadersSendToOtherHosts(ranksPerHost: Int?) throws {
    let world = try Self.world
    let replicas = try SmallNetwork.replicas(
      world, Plan(microBatches: 16, threads: 1, ranksPerHost: ranksPerHost))
    let optimizer = ShardedOptimizer(SGD(momentum: 0, weightDecay: 0), for: replicas)
    // The first step maps the memory.
    for update in 1...2 {
      let gradient = try replicas.gradient { $0.loss($1, microBatch: $2) }
      let before = replicas.bytesSent
      _ = try optimizer.update(
        replicas, along: gradient, factor: 1, learningRate: 0.1, update: update)
      let ofWeights = replicas.bytesSent - before
      guard update == 2 else { continue }
      let start = replicas.bytesSent
      _ = try replicas.gradient { $0.loss($1, microBatch: $2) }
      let sent = [replicas.bytesSent - start, ofWeights].map { Double($0) }
      let size = ranksPerHost ?? world.size
      let hosts = (world.size + size - 1) / size
      let isLeader = world.rank % size == 0
      #expect(isLeader || sent == [0, 0])
      // A host of three holds two subtrees of sixteen leaves.
      guard hosts == 1 || world.size % size == 0 && size.nonzeroBitCount == 1 else { continue }
      // Hosts may own slices of different sizes; together they send (H−1) gradients.
      let all = try world.allReduce(sent, .sum)
      let bound = 4 * Double(replicas.layout.count * (hosts - 1))
      #expect(all == [bound, bound])
    }
    #expect(replicas.takeSharingRefusal() == nil)
  }

  /// A sum in any order through shared memory rounds nothing to bf16.
  @Test(arguments: [1, 2, 3]) func fastReductionOnOneHostAddsInFP32(threads: Int) throws {
    let world = try Self.world
    let replicas = try [GradientReduction.exact, .fast].map {
      try SmallNetwork.replicas(world, Plan(microBatches: 4, threads: threads, reduction: $0))
    }
    let sums = try replicas.map {
      try $0.gradient { $0.loss($1, microBatch: $2) }.buffer.elements
    }
    var worst: Float = 0
    for element in replicas[0].ownedRanges.joined() {
      worst = max(worst, abs(sums[0][element] - sums[1][element]))
    }
    let largest = replicas[0].ownedRanges.joined().reduce(0) { max($0, abs(sums[0][$1])) }
    #expect(worst <= 2e-6 * largest, "\(worst / largest)")
  }

  /// All ranks take the path of messages when one of them has no shared memory, and name it.
  @Test func oneRankWithoutSharedMemoryDecidesForAll() throws {
    let world = try Self.world
    guard world.size > 1 else { return }
    let buckets = Buckets(count: 10_000, ranks: world.size)
    let roots = (0..<world.size).map { [Subtree(level: 0, index: $0)] }
    let sharing = try MemorySharing(world, nil, .exact, elements: 10_000)
    #expect(sharing.isPossible && sharing.sumsGradients)
    let last = world.size - 1
    let part = FlatBuffer(count: 10_000, isShared: world.rank != last)
    #expect(try sharing.sum(of: [part], roots, buckets, world) == nil)
    let refusal = try #require(sharing.refusal)
    #expect(refusal.hasPrefix("rank \(last) on \(try Communicator.hostName): "), "\(refusal)")
    // No rank tries again, whatever it could share.
    #expect(try sharing.gather(FlatBuffer(count: 10_000, isShared: true), buckets, world) == nil)
    try world.barrier()
  }

  /// Eight buckets of 1 MiB, and somewhat less; within a host every size is worth it.
  @Test func smallGradientsAreNotSummedOnHosts() {
    #expect(MemorySharing.isWorthIt(hosts: 2, elements: 8 << 18))
    #expect(!MemorySharing.isWorthIt(hosts: 2, elements: (8 << 18) - 8 * Buckets.block))
    #expect(MemorySharing.isWorthIt(hosts: 1, elements: 1))
  }

  @Test func hostsAreRunsOfRanks() throws {
    #expect(HostTopology.runs(of: [0, 0, 2, 2, 2, 5]) == [0..<2, 2..<5, 5..<6])
    #expect(HostTopology.runs(of: [0]) == [0..<1])
    // Placed in turn over two hosts, and a host whose ranks lie around another's.
    #expect(HostTopology.runs(of: [0, 1, 0, 1]) == nil)
    #expect(HostTopology.runs(of: [0, 1, 1, 0]) == nil)
  }

  @Test func theTopologyIsThatOfTheRanks() throws {
    let world = try Self.world
    guard world.size > 1 else { return }
    guard case .hosts(let whole) = try HostTopology.find(world, ranksPerHost: nil) else {
      Issue.record("the ranks of one host were not found")
      return
    }
    #expect(whole.hosts == [0..<world.size] && whole.leaders == nil)
    #expect(whole.host.size == world.size && whole.host.rank == world.rank)
    guard case .single = try HostTopology.find(world, ranksPerHost: 1) else {
      Issue.record("one rank per host shares no memory")
      return
    }
    guard world.size > 2, case .hosts(let pairs) = try HostTopology.find(world, ranksPerHost: 2)
    else { return }
    #expect(pairs.hosts == (world.size == 3 ? [0..<2, 2..<3] : [0..<2, 2..<4]))
    #expect(pairs.isLeader == (world.rank % 2 == 0))
    #expect((pairs.leaders?.size ?? 2) == 2 && (pairs.leaders == nil) == !pairs.isLeader)
  }
}
