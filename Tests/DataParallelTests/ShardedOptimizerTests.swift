import MPI
import Optimizers
import TestWorld
import Testing

@testable import DataParallel
@testable import Tensors

@Suite(.serialized, .worldInTurn) struct ShardedOptimizerTests {
  /// Weights after two updates along given gradients, on all ranks together.
  private func sharded(_ rule: any Optimizer, threads: Int) throws -> [Float] {
    let replicas = try SmallNetwork.replicas(
      SharedWorld.group(), .init(microBatches: 1, threads: threads))
    let optimizer = ShardedOptimizer(rule, for: replicas)
    for update in 1...2 {
      // Only what the rank owns may be read: the rest is poison.
      let gradient = try #require(replicas.summedGradient)
      for element in 0..<replicas.layout.count { gradient[element] = .nan }
      for range in replicas.ownedRanges {
        for element in range { gradient[element] = slope(element, update) }
      }
      _ = try optimizer.update(replicas, factor: 0.5, learningRate: 0.1, update: update)
    }
    #expect(optimizer.state.count == rule.stateNames.count)
    #expect(
      optimizer.state.allSatisfy {
        $0.elements.count == replicas.ownedRanges.reduce(0) { $0 + $1.count }
      })
    return Array(replicas.parameters.elements)
  }

  /// The same over whole parameters.
  private func unsharded(_ rule: any Optimizer) -> [Float] {
    let layout = SmallNetwork.layout
    let weights = FlatBuffer(count: layout.count)
    layout.initialize(weights.elements, seed: 3)
    let state = rule.stateNames.map { _ in FlatBuffer(count: layout.count) }
    for update in 1...2 {
      let gradient = (0..<layout.count).map { slope($0, update) }
      gradient.withUnsafeBufferPointer { gradient in
        for entry in layout.entries {
          guard let base = gradient.baseAddress else { return }
          let start = entry.range.lowerBound
          rule.update(
            UnsafeMutableBufferPointer(rebasing: weights.elements[entry.range]),
            state: state.compactMap { $0.elements.baseAddress.map { $0 + start } },
            along: base + start, factor: 0.5, learningRate: 0.1, decays: entry.decays,
            update: update)
        }
      }
    }
    return Array(weights.elements)
  }

  private func slope(_ element: Int, _ update: Int) -> Float {
    Float((element * 7919 + update * 31) % 1000) / 500 - 1
  }

  @Test(arguments: [1, 2, 3])
  func shardsMakeTheWholeUpdate(threads: Int) throws {
    let rules: [any Optimizer] = [
      AdamW(betas: (0.9, 0.99), weightDecay: 0.1), SGD(momentum: 0.9, weightDecay: 0.1),
      SGD(momentum: 0, weightDecay: 0),
    ]
    for rule in rules {
      let isEqual = try sharded(rule, threads: threads) == unsharded(rule)
      #expect(isEqual, "\(rule)")
    }
  }

  @Test func ranksOwnDisjointParts() throws {
    let world = try SharedWorld.group()
    let replicas = try SmallNetwork.replicas(world, .init(microBatches: 1, threads: 1))
    let own = replicas.ownedRanges.reduce(0) { $0 + $1.count }
    #expect(try world.allReduce(Int64(own), .sum) == Int64(replicas.layout.count))
  }
}
