import Testing

@testable import Tensors

/// What lies in the gradient's memory until the gradient is written changes nothing.
@Suite struct GradientLoanTests {
  /// Maps with norms and activations between them.
  private struct Network {
    let maps: [Tensor]
    let gains: [Tensor]

    init(_ parameters: Parameters) {
      maps = (0..<4).map {
        parameters[$0].tensor("map", [8, 8], .normal(deviation: 0.5), decays: true)
      }
      gains = (0..<4).map { parameters[$0].tensor("gain", [8], .constant(1), decays: false) }
    }

    /// `blocks` of them in turn.
    func callAsFunction(_ x: Tensor, blocks: [Int]) -> Tensor {
      blocks.reduce(x) { x, block in
        x
          + x.rmsNorm(gain: gains[block], epsilon: 1e-5)
          .linear(weight: maps[block], order: .outputsByInputs).gelu()
      }
    }
  }

  /// A network on a worker of its own, whose gradient lends memory or does not.
  private struct Bound {
    let workspace = Workspace()
    let values: FlatBuffer
    let gradients: FlatBuffer
    let network: Network

    init(lends: Bool) {
      let layout = ParameterLayout(of: Network.init)
      values = FlatBuffer(count: layout.count)
      layout.initialize(values.elements, seed: 1)
      gradients = FlatBuffer(count: layout.count)
      network = workspace.bind(layout, values: values, Network.init)
      // The loss, which `backward` holds, is smaller.
      workspace.leastLoan = lends ? 64 : .max
    }

    var moves: Int { workspace.loan?.moves ?? 0 }

    /// Bits of the gradient of the sum of what `body` makes of an input.
    func gradient(_ body: (Network, Tensor) -> Tensor) -> [UInt32] {
      gradients.elements.update(repeating: .nan)
      workspace.beginGradients(into: gradients)
      let x = workspace.trial([5, 8], 1)
      workspace.backward(from: workspace.recording { body(network, x).sum() }) { _ in }
      return gradients.elements.map(\.bitPattern)
    }
  }

  @Test func aPassLendsAndMovesNothing() {
    let body = { (network: Network, x: Tensor) in network(x, blocks: [0, 1, 2, 3]) }
    let (lending, plain) = (Bound(lends: true), Bound(lends: false))
    let expected = plain.gradient(body)
    for _ in 0..<3 {
      #expect(lending.gradient(body) == expected)
      #expect(lending.moves == 0)
    }
    #expect(lending.workspace.pool.bytesHeld < plain.workspace.pool.bytesHeld)
  }

  /// The order of use need not be that of the buffer.
  @Test func anyOrderWillDo() {
    let body = { (network: Network, x: Tensor) in network(x, blocks: [2, 0, 3, 1]) }
    let lending = Bound(lends: true)
    #expect(lending.gradient(body) == Bound(lends: false).gradient(body))
    #expect(lending.moves == 0)
  }

  /// Used again without having been declared, a parameter costs copies once.
  @Test func whatIsUsedAgainIsTakenBack() {
    let body = { (network: Network, x: Tensor) in network(x, blocks: [0, 1, 2, 3, 0, 1]) }
    let lending = Bound(lends: true)
    let expected = Bound(lends: false).gradient(body)
    #expect(lending.gradient(body) == expected)
    #expect(lending.moves > 0)
    #expect(lending.gradient(body) == expected)
    #expect(lending.moves == 0)
  }

  @Test func sharedParametersLendNothing() {
    let body = { (network: Network, x: Tensor) in network(x, blocks: [0, 1, 2, 3, 0]) }
    let lending = Bound(lends: true)
    for tensor in [lending.network.maps[0], lending.network.gains[0]] { tensor.markShared() }
    #expect(lending.gradient(body) == Bound(lends: false).gradient(body))
    #expect(lending.moves == 0)
  }

  @Test func recomputationLendsAndMovesNothing() {
    let body = { (network: Network, x: Tensor) in
      (0..<4).reduce(x) { x, block in x.recomputed { network($0, blocks: [block]) } }
    }
    let lending = Bound(lends: true)
    #expect(lending.gradient(body) == Bound(lends: false).gradient(body))
    #expect(lending.moves == 0)
  }

  /// Whoever keeps a tensor finds it as it was.
  @Test func aTensorThatIsKeptIsMoved() {
    let lending = Bound(lends: true)
    var kept: [Tensor] = []
    var values: [[Float]] = []
    _ = lending.gradient { network, x in
      (0..<4).reduce(x) { x, block in
        let y = network(x, blocks: [block])
        kept.append(y)
        values.append(y.values)
        return y
      }
    }
    #expect(lending.moves > 0)
    #expect(kept.map(\.values) == values)
    lending.gradients.elements.update(repeating: 0)
    #expect(kept.map(\.values) == values)
  }

  /// A pass that is begun and left does not lose its values to the next.
  @Test func theNextPassMovesWhatTheLastOneLeft() {
    let lending = Bound(lends: true)
    let body = { (network: Network, x: Tensor) in network(x, blocks: [0, 1, 2, 3]) }
    lending.workspace.beginGradients(into: lending.gradients)
    let left = lending.workspace.recording {
      body(lending.network, lending.workspace.trial([5, 8], 2))
    }
    let values = left.values
    lending.workspace.beginGradients(into: lending.gradients)
    lending.workspace.tape = []
    #expect(lending.gradient(body) == Bound(lends: false).gradient(body))
    #expect(left.values == values)
  }

  /// Block 1 is computed and not used.
  @Test func whatTakesNoPartHasNoGradient() {
    let body = { (network: Network, x: Tensor) in
      let start = network(x, blocks: [0])
      _ = network(start, blocks: [1])
      return network(start, blocks: [2, 3])
    }
    let lending = Bound(lends: true)
    let expected = Bound(lends: false).gradient(body)
    #expect(lending.gradient(body) == expected)
    // More contributions may follow: nobody is told of the end.
    lending.gradients.elements.update(repeating: .nan)
    lending.workspace.beginGradients(into: lending.gradients)
    let x = lending.workspace.trial([5, 8], 1)
    lending.workspace.backward(
      from: lending.workspace.recording { body(lending.network, x).sum() })
    #expect(lending.gradients.elements.map(\.bitPattern) == expected)
  }

  /// The second micro-batch of a leaf adds: what it adds to is lent to nobody.
  @Test func aGradientThatHoldsSomethingIsNotLent() {
    let results = [true, false].map { lends in
      let bound = Bound(lends: lends)
      bound.workspace.beginGradients(into: bound.gradients)
      for tag in 1...2 {
        let x = bound.workspace.trial([5, 8], tag)
        let loss = bound.workspace.recording { bound.network(x, blocks: [0, 1, 2, 3]).sum() }
        bound.workspace.backward(from: loss)
      }
      #expect(bound.moves == 0)
      return bound.gradients.elements.map(\.bitPattern)
    }
    #expect(results[0] == results[1])
  }
}
