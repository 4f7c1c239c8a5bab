import Testing

@testable import Tensors

/// Saved tensors in the memory of the gradient buffer do not change any gradient.
@Suite struct GradientArenaTests {
  /// Residual blocks of a norm, a linear layer and an activation.
  private struct Network {
    let weights: [Tensor]
    let gains: [Tensor]

    init(_ parameters: Parameters) {
      weights = (0..<4).map {
        parameters[$0].tensor("map", [8, 8], .normal(std: 0.5), decays: true)
      }
      gains = (0..<4).map { parameters[$0].tensor("gain", [8], .constant(1), decays: false) }
    }

    /// Applies the given blocks in order.
    func callAsFunction(_ x: Tensor, blocks: [Int]) -> Tensor {
      blocks.reduce(x) { x, block in
        x
          + x.rmsNorm(gain: gains[block], epsilon: 1e-5)
          .linear(weight: weights[block], order: .outputsByInputs).gelu()
      }
    }
  }

  /// A network on its own worker, with or without allocations in the gradient arena.
  private struct Bound {
    let workspace = Workspace()
    let values: FlatBuffer
    let gradients: FlatBuffer
    let network: Network

    init(usesArena: Bool) {
      let layout = ParameterLayout(of: Network.init)
      values = FlatBuffer(count: layout.count)
      layout.initialize(values.elements, seed: 1)
      gradients = FlatBuffer(count: layout.count)
      network = workspace.bind(layout, values: values, Network.init)
      // The loss, which `backward` keeps, is smaller than 64 bytes.
      workspace.smallestArenaAllocation = usesArena ? 64 : .max
    }

    var evictions: Int { workspace.arena?.evictions ?? 0 }

    /// Returns the bits of the gradient of the sum of `body`'s result.
    func gradient(_ body: (Network, Tensor) -> Tensor) -> [UInt32] {
      gradients.elements.update(repeating: .nan)
      workspace.beginGradients(into: gradients)
      let x = workspace.probe([5, 8], 1)
      workspace.backward(from: workspace.recording { body(network, x).sum() }) { _ in }
      return gradients.elements.map(\.bitPattern)
    }
  }

  @Test func theArenaSavesMemoryWithoutEvictions() {
    let body = { (network: Network, x: Tensor) in network(x, blocks: [0, 1, 2, 3]) }
    let (aliased, plain) = (Bound(usesArena: true), Bound(usesArena: false))
    let expected = plain.gradient(body)
    for _ in 0..<3 {
      #expect(aliased.gradient(body) == expected)
      #expect(aliased.evictions == 0)
    }
    #expect(aliased.workspace.pool.bytesHeld < plain.workspace.pool.bytesHeld)
  }

  @Test func parametersMayBeUsedInAnyOrder() {
    let body = { (network: Network, x: Tensor) in network(x, blocks: [2, 0, 3, 1]) }
    let aliased = Bound(usesArena: true)
    #expect(aliased.gradient(body) == Bound(usesArena: false).gradient(body))
    #expect(aliased.evictions == 0)
  }

  /// A parameter that is used again without having been declared as shared causes evictions in the
  /// first pass only.
  @Test func aSecondUseOfAParameterEvictsItsAllocations() {
    let body = { (network: Network, x: Tensor) in network(x, blocks: [0, 1, 2, 3, 0, 1]) }
    let aliased = Bound(usesArena: true)
    let expected = Bound(usesArena: false).gradient(body)
    #expect(aliased.gradient(body) == expected)
    #expect(aliased.evictions > 0)
    #expect(aliased.gradient(body) == expected)
    #expect(aliased.evictions == 0)
  }

  @Test func sharedParametersAreNotInTheArena() {
    let body = { (network: Network, x: Tensor) in network(x, blocks: [0, 1, 2, 3, 0]) }
    let aliased = Bound(usesArena: true)
    for tensor in [aliased.network.weights[0], aliased.network.gains[0]] { tensor.markShared() }
    #expect(aliased.gradient(body) == Bound(usesArena: false).gradient(body))
    #expect(aliased.evictions == 0)
  }

  @Test func recomputationCausesNoEvictions() {
    let body = { (network: Network, x: Tensor) in
      (0..<4).reduce(x) { x, block in x.recomputed { network($0, blocks: [block]) } }
    }
    let aliased = Bound(usesArena: true)
    #expect(aliased.gradient(body) == Bound(usesArena: false).gradient(body))
    #expect(aliased.evictions == 0)
  }

  @Test func tensorsKeptByTheCallerAreMovedWithTheirValues() {
    let aliased = Bound(usesArena: true)
    var kept: [Tensor] = []
    var values: [[Float]] = []
    _ = aliased.gradient { network, x in
      (0..<4).reduce(x) { x, block in
        let y = network(x, blocks: [block])
        kept.append(y)
        values.append(y.values)
        return y
      }
    }
    #expect(aliased.evictions > 0)
    #expect(kept.map(\.values) == values)
    aliased.gradients.elements.update(repeating: 0)
    #expect(kept.map(\.values) == values)
  }

  /// The values of a pass without a backward pass survive the next pass.
  @Test func theNextPassMovesTensorsOfAnAbandonedPass() {
    let aliased = Bound(usesArena: true)
    let body = { (network: Network, x: Tensor) in network(x, blocks: [0, 1, 2, 3]) }
    aliased.workspace.beginGradients(into: aliased.gradients)
    let left = aliased.workspace.recording {
      body(aliased.network, aliased.workspace.probe([5, 8], 2))
    }
    let values = left.values
    aliased.workspace.beginGradients(into: aliased.gradients)
    aliased.workspace.tape = []
    #expect(aliased.gradient(body) == Bound(usesArena: false).gradient(body))
    #expect(left.values == values)
  }

  /// Block 1 is computed, but its result is not used.
  @Test func unusedParametersHaveZeroGradients() {
    let body = { (network: Network, x: Tensor) in
      let start = network(x, blocks: [0])
      _ = network(start, blocks: [1])
      return network(start, blocks: [2, 3])
    }
    let aliased = Bound(usesArena: true)
    let expected = Bound(usesArena: false).gradient(body)
    #expect(aliased.gradient(body) == expected)
    // Without a callback, as when more contributions follow.
    aliased.gradients.elements.update(repeating: .nan)
    aliased.workspace.beginGradients(into: aliased.gradients)
    let x = aliased.workspace.probe([5, 8], 1)
    aliased.workspace.backward(
      from: aliased.workspace.recording { body(aliased.network, x).sum() })
    #expect(aliased.gradients.elements.map(\.bitPattern) == expected)
  }

  /// The second micro-batch of a leaf adds to gradients, whose memory must not be in the arena.
  @Test func writtenGradientsAreNotInTheArena() {
    let results = [true, false].map { usesArena in
      let bound = Bound(usesArena: usesArena)
      bound.workspace.beginGradients(into: bound.gradients)
      for tag in 1...2 {
        let x = bound.workspace.probe([5, 8], tag)
        let loss = bound.workspace.recording { bound.network(x, blocks: [0, 1, 2, 3]).sum() }
        bound.workspace.backward(from: loss)
      }
      #expect(bound.evictions == 0)
      return bound.gradients.elements.map(\.bitPattern)
    }
    #expect(results[0] == results[1])
  }
}
