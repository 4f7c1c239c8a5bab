import MPI
import Optimizers
import TestWorld
import Testing

@testable import DataParallel
@testable import Tensors

@Suite(.serialized, .worldInTurn) struct ShardedOptimizerTests {
  /// Returns the weights after two updates along given gradients, sharded over all ranks.
  private func sharded(_ rule: any Optimizer, threads: Int) throws -> [Float] {
    let replicas = try SmallNetwork.replicas(
      SharedWorld.communicator(), .init(microBatches: 1, threads: threads))
    let optimizer = ShardedOptimizer(rule, for: replicas)
    for update in 1...2 {
      // Elements that the rank does not own are NaN: it must not read them.
      let buffer = FlatBuffer(count: replicas.layout.count)
      buffer.elements.update(repeating: .nan)
      for range in replicas.ownedRanges {
        for element in range { buffer.elements[element] = gradientValue(element, update) }
      }
      let gradient = SummedGradient(
        buffer: buffer, ranges: replicas.ownedRanges, squaredNorms: BlockSquaredNorms(count: 0),
        secondsCompute: 0, secondsExchange: 0, secondsExposed: 0)
      _ = try optimizer.update(
        replicas, along: gradient, factor: 0.5, learningRate: 0.1, update: update)
    }
    #expect(optimizer.state.count == rule.stateNames.count)
    #expect(
      optimizer.state.allSatisfy {
        $0.elements.count == replicas.ownedRanges.reduce(0) { $0 + $1.count }
      })
    return Array(replicas.parameters.elements)
  }

  /// Returns the weights after the same two updates without shards.
  private func unsharded(_ rule: any Optimizer) -> [Float] {
    let layout = SmallNetwork.layout
    let weights = FlatBuffer(count: layout.count)
    layout.initialize(weights.elements, seed: 3)
    let state = rule.stateNames.map { _ in FlatBuffer(count: layout.count) }
    for update in 1...2 {
      let gradient = (0..<layout.count).map { gradientValue($0, update) }
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

  private func gradientValue(_ element: Int, _ update: Int) -> Float {
    Float((element * 7919 + update * 31) % 1000) / 500 - 1
  }

  @Test(arguments: [1, 2, 3])
  func shardedUpdatesEqualUnshardedUpdates(threads: Int) throws {
    let rules: [any Optimizer] = [
      AdamW(betas: (0.9, 0.99), weightDecay: 0.1), SGD(momentum: 0.9, weightDecay: 0.1),
      SGD(momentum: 0, weightDecay: 0),
    ]
    for rule in rules {
      let isEqual = try sharded(rule, threads: threads) == unsharded(rule)
      #expect(isEqual, "\(rule)")
    }
  }

  @Test func theOwnedRangesOfAllRanksCoverTheParameters() throws {
    let world = try SharedWorld.communicator()
    let replicas = try SmallNetwork.replicas(world, .init(microBatches: 1, threads: 1))
    let own = replicas.ownedRanges.reduce(0) { $0 + $1.count }
    #expect(try world.allReduce(Int64(own), .sum) == Int64(replicas.layout.count))
  }
}
