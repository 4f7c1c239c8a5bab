import MPI
import Optimizers
import TestWorld
import Testing

@testable import DataParallel
@testable import Tensors

/// The outer step of DiLoCo over the ranks that the tests were started with, or as many of them as can be
/// divided over the workers.
@Suite(.serialized, .worldInTurn) struct OuterOptimizerTests {
  private static let learningRate: Float = 0.7
  private static let momentum: Float = 0.9

  /// Ranks 0 to 2^n − 1 of the world, which can be divided over any power of two of workers; the others
  /// are alone.
  private func powerOfTwo() throws -> Communicator {
    let world = SharedWorld.world
    let size = 1 << (Int.bitWidth - 1 - world.size.leadingZeroBitCount)
    return try world.split(color: world.rank < size ? 0 : world.rank)
  }

  /// The weight that a worker has after its round, from weight `old`.
  private func weight(_ old: Float, _ element: Int, worker: Int, round: Int) -> Float {
    old + (Float((element * 7919 + worker * 613 + round * 31) % 1000) / 500 - 1) / 8
  }

  /// Returns the global weights after two rounds, and the norms of the outer gradients.
  private func train(workers: Int, threads: Int) throws -> (weights: [Float], norms: [Double]) {
    let world = try powerOfTwo()
    let groups = try #require(WorkerGroups(workers: workers, ranks: world.size))
    let replicas = try DataParallel(
      world: world, group: world.split(color: groups.group(ofRank: world.rank)),
      layout: SmallNetwork.layout, plan: .init(microBatches: 1, threads: threads),
      build: SmallNetwork.init)
    SmallNetwork.layout.initialize(replicas.parameters.elements, seed: 3)
    let outer = OuterOptimizer(
      NesterovSGD(momentum: Self.momentum), learningRate: Self.learningRate, groups: groups,
      peers: try world.split(color: world.rank % groups.ranksPerGroup), for: replicas)
    let own = groups.workers(ofGroup: groups.group(ofRank: world.rank))
    var norms: [Double] = []
    for round in 1...2 {
      try outer.begin(replicas)
      for worker in own {
        if worker > own.lowerBound { try outer.restart(replicas) }
        for element in 0..<replicas.layout.count {
          replicas.parameters.elements[element] = weight(
            replicas.parameters.elements[element], element, worker: worker, round: round)
        }
        try outer.add(worker: worker, of: replicas)
      }
      norms.append(try outer.sumOverWorkers(replicas))
      try outer.update(replicas, update: round)
    }
    let owned = try world.allReduce(
      Int64(outer.ranges.reduce(0) { $0 + $1.count }), .sum)
    #expect(owned == Int64(replicas.layout.count))
    return (Array(replicas.parameters.elements), norms)
  }

  /// The same rounds without ranks, threads or slices.
  private func reference(workers: Int) -> (weights: [Float], norms: [Double]) {
    let layout = SmallNetwork.layout
    let first = FlatBuffer(count: layout.count)
    layout.initialize(first.elements, seed: 3)
    var weights = Array(first.elements)
    var state = [Float](repeating: 0, count: layout.count)
    var norms: [Double] = []
    for round in 1...2 {
      var differences = (0..<workers).map { worker in
        weights.enumerated().map {
          $0.element - weight($0.element, $0.offset, worker: worker, round: round)
        }
      }
      while differences.count > 1 {
        differences = stride(from: 0, to: differences.count, by: 2).map { place in
          zip(differences[place], differences[place + 1]).map { $0 + $1 }
        }
      }
      let squares = differences[0].reduce(0) { $0 + Double($1) * Double($1) }
      norms.append(squares.squareRoot() / Double(workers))
      weights.withUnsafeMutableBufferPointer { weights in
        state.withUnsafeMutableBufferPointer { state in
          differences[0].withUnsafeBufferPointer { sum in
            guard let along = sum.baseAddress, let momentum = state.baseAddress else { return }
            NesterovSGD(momentum: Self.momentum).update(
              weights, state: [momentum], along: along, factor: 1 / Float(workers),
              learningRate: Self.learningRate, decays: false, update: round)
          }
        }
      }
    }
    return (weights, norms)
  }

  @Test(arguments: [1, 2, 4, 8], [1, 3])
  func anOuterStepHasTheBitsOfTheReference(workers: Int, threads: Int) throws {
    let expected = reference(workers: workers)
    let result = try train(workers: workers, threads: threads)
    let isEqual = result.weights == expected.weights
    #expect(isEqual)
    for (norm, expected) in zip(result.norms, expected.norms) {
      #expect(abs(norm - expected) < 1e-9 * expected)
    }
    #expect(try train(workers: workers, threads: 2).norms == result.norms)
  }

  /// 2(G−1)/G of the weights of a rank's place in its group, for G groups.
  @Test(arguments: [1, 2, 4]) func theBytesBetweenGroupsAreThoseOfARing(workers: Int) throws {
    let world = try powerOfTwo()
    let groups = try #require(WorkerGroups(workers: workers, ranks: world.size))
    let replicas = try DataParallel(
      world: world, group: world.split(color: groups.group(ofRank: world.rank)),
      layout: SmallNetwork.layout, plan: .init(microBatches: 1, threads: 1),
      build: SmallNetwork.init)
    let peers = try world.split(color: world.rank % groups.ranksPerGroup)
    let outer = OuterOptimizer(
      NesterovSGD(momentum: 0.9), learningRate: 1, groups: groups, peers: peers, for: replicas)
    try outer.begin(replicas)
    for worker in groups.workers(ofGroup: groups.group(ofRank: world.rank)) {
      try outer.add(worker: worker, of: replicas)
    }
    _ = try outer.sumOverWorkers(replicas)
    try outer.update(replicas, update: 1)
    let sent = try world.allReduce(Int64(peers.traffic.bytesSent), .sum)
    #expect(sent == Int64(2 * (groups.count - 1) * 4 * replicas.layout.count))
  }

  @Test func ranksAreDividedOverWorkers() throws {
    for (workers, ranks) in [(2, 3), (4, 3), (4, 6), (8, 12), (2, 0)] {
      #expect(WorkerGroups(workers: workers, ranks: ranks) == nil, "\(workers), \(ranks)")
    }
    for (workers, ranks, count, each) in [(4, 8, 4, 2), (4, 4, 4, 1), (4, 2, 2, 1), (1, 3, 1, 3)] {
      let groups = try #require(WorkerGroups(workers: workers, ranks: ranks))
      #expect(groups.count == count && groups.ranksPerGroup == each)
      #expect((0..<count).flatMap(groups.workers(ofGroup:)) == Array(0..<workers))
      #expect((0..<count).flatMap(groups.ranks(ofGroup:)) == Array(0..<ranks))
      for rank in 0..<ranks {
        #expect(groups.ranks(ofGroup: groups.group(ofRank: rank)).contains(rank))
      }
    }
  }
}
