import Testing

@testable import Tensors

/// A network of three parameters, one of them used twice.
private struct Network {
  let matrix: Tensor
  let bias: Tensor
  let unused: Tensor

  init(_ parameters: Parameters) {
    let layer = parameters["h"][0]
    matrix = layer["attn"].tensor("weight", [3, 3], .normal(std: 0.5), decays: true)
    bias = layer.tensor("bias", [3], .constant(0.25), decays: false)
    unused = parameters.tensor("unused", [17], .constant(-1), decays: true)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let once = x.linear(weight: matrix, order: .outputsByInputs, bias: bias)
    return once.linear(weight: matrix, order: .outputsByInputs).sum()
  }
}

@Suite struct ParametersTests {
  let layout = ParameterLayout(of: Network.init)

  @Test func theLayoutHasNamesShapesAndAlignedRanges() {
    #expect(layout.entries.map(\.name) == ["h.0.attn.weight", "h.0.bias", "unused"])
    #expect(layout.entries.map(\.shape) == [[3, 3], [3], [17]])
    #expect(layout.entries.map(\.range) == [0..<9, 16..<19, 32..<49])
    #expect(layout.entries.map(\.decays) == [true, false, true])
    #expect(layout.count == 64)
    #expect(layout.parameterCount == 29)
  }

  @Test func layoutsHaveEqualSummariesOnlyWhenEqual() {
    #expect(ParameterLayout(of: Network.init).summary == layout.summary)
    let others = [
      ParameterLayout { $0.tensor("a", [2, 3], .constant(0), decays: true) },
      ParameterLayout { $0.tensor("a", [3, 2], .constant(0), decays: true) },
      ParameterLayout { $0.tensor("b", [2, 3], .constant(0), decays: true) },
      ParameterLayout { $0.tensor("a", [2, 3], .constant(0), decays: false) },
    ]
    #expect(Set(others.map(\.summary)).count == 4)
  }

  @Test func initialValuesDependOnSeedAndIndex() {
    func initialized(_ seed: UInt64) -> [Float] {
      let values = FlatBuffer(count: layout.count)
      values.elements.update(repeating: .nan)
      layout.initialize(values.elements, seed: seed)
      return Array(values.elements)
    }
    let values = initialized(1)
    #expect(values == initialized(1))
    #expect(values[0..<9] != initialized(2)[0..<9])
    #expect(values[16..<19].allSatisfy { $0 == 0.25 })
    #expect(values[32..<49].allSatisfy { $0 == -1 })
    #expect(values[9..<16].allSatisfy { $0 == 0 } && values[49...].allSatisfy { $0 == 0 })
    #expect(Set(values[0..<9]).count == 9)
  }

  /// Parts that are initialized separately equal the full initialization bit for bit, including
  /// gaps.
  @Test(arguments: [2, 3, 8])
  func partialInitializationsMatchTheFullOne(parts: Int) {
    let layout = ParameterLayout { parameters in
      for (index, size) in [9, 5000, 300, 4097, 4099, 16].enumerated() {
        _ = parameters.tensor("w\(index)", [size], .normal(std: 0.1), decays: true)
        _ = parameters.tensor("b\(index)", [size % 7 + 1], .constant(0.5), decays: false)
      }
    }
    let whole = FlatBuffer(count: layout.count)
    layout.initialize(whole.elements, seed: 5)
    let joined = FlatBuffer(count: layout.count)
    joined.elements.update(repeating: .nan)
    var most = 0
    for part in (0..<parts).reversed() {
      let before = joined.elements.count { $0.isNaN }
      layout.initialize(joined.elements, seed: 5, part: part, of: parts)
      most = max(most, before - joined.elements.count { $0.isNaN })
    }
    #expect(joined.elements.elementsEqual(whole.elements) { $0.bitPattern == $1.bitPattern })
    // No part exceeds the mean by more than the largest parameter.
    #expect(most <= layout.count / parts + 5000 + 16 * layout.entries.count)
  }

  /// The chosen parameters get the values of the full initialization; the others stay.
  @Test(arguments: [1, 2])
  func onlyTheChosenParametersAreInitialized(parts: Int) throws {
    let layout = ParameterLayout { parameters in
      for index in 0..<4 {
        _ = parameters.tensor("w\(index)", [90 + index], .normal(std: 0.1), decays: true)
      }
    }
    let (whole, some) = (FlatBuffer(count: layout.count), FlatBuffer(count: layout.count))
    layout.initialize(whole.elements, seed: 5)
    for part in 0..<parts {
      layout.initialize(some.elements, seed: 5, only: ["w1", "w3"], part: part, of: parts)
    }
    for (index, entry) in layout.entries.enumerated() {
      let expected = index % 2 == 1 ? Array(whole.elements[entry.range]) : []
      #expect(Array(some.elements[entry.range].filter { $0 != 0 }) == expected, "\(entry.name)")
    }
  }

  @Test func aBoundNetworkReadsTheBuffer() {
    let workspace = Workspace()
    let values = FlatBuffer(count: layout.count)
    layout.initialize(values.elements, seed: 1)
    let network = workspace.bind(layout, values: values, Network.init)
    #expect(network.bias.values == [0.25, 0.25, 0.25])
    values.elements[17] = 9
    #expect(network.bias.values == [0.25, 9, 0.25])
  }

  /// The first contribution overwrites and later ones add; gradients of unused parameters are zero.
  @Test func gradientsAreWrittenToTheBuffer() {
    let workspace = Workspace()
    let values = FlatBuffer(count: layout.count)
    layout.initialize(values.elements, seed: 1)
    let network = workspace.bind(layout, values: values, Network.init)
    let x = Tensor([1, 2, 3], shape: [1, 3], in: workspace)
    let gradients = FlatBuffer(count: layout.count)
    gradients.elements.update(repeating: .nan)
    func backward(_ onComplete: ((Int) -> Void)?) {
      workspace.backward(
        from: workspace.recording { network(x) }, onParameterComplete: onComplete)
    }
    var order: [Int] = []
    workspace.beginGradients(into: gradients)
    backward { order.append($0) }
    #expect(order.sorted() == [0, 1, 2])
    let once = Array(gradients.elements)
    #expect(once[32..<49].allSatisfy { $0 == 0 })
    #expect(once[0..<9].allSatisfy { $0.isFinite } && once[16..<19].allSatisfy { $0.isFinite })
    #expect(once[9..<16].allSatisfy { $0.isNaN }, "the gap was written")
    // ∂/∂bias of Σ W·(W·x + b) are the column sums of W.
    for column in 0..<3 {
      let sum = (0..<3).reduce(0) { $0 + values.elements[$1 * 3 + column] }
      #expect(abs(once[16 + column] - sum) < 1e-6)
    }

    // Two backward passes into one leaf, completion only with the second.
    workspace.beginGradients(into: gradients)
    backward(nil)
    order = []
    backward { order.append($0) }
    #expect(order.sorted() == [0, 1, 2])
    for place in Array(0..<9) + Array(16..<19) {
      #expect(abs(gradients.elements[place] - 2 * once[place]) < 1e-5)
    }
    // A new leaf overwrites, also in another buffer.
    let other = FlatBuffer(count: layout.count)
    workspace.beginGradients(into: other)
    backward { _ in }
    #expect(Array(other.elements[0..<9]) == Array(once[0..<9]))
  }

  /// A forward pass without recording does not change the pending uses of parameters.
  @Test func anEvaluationDoesNotDelayCompletion() {
    let workspace = Workspace()
    let values = FlatBuffer(count: layout.count)
    let network = workspace.bind(layout, values: values, Network.init)
    let x = Tensor([1, 2, 3], shape: [1, 3], in: workspace)
    _ = network(x)
    var order: [Int] = []
    let gradients = FlatBuffer(count: layout.count)
    workspace.beginGradients(into: gradients)
    let loss = workspace.recording { network(x) }
    workspace.backward(from: loss) { order.append($0) }
    // The two used parameters complete during the pass, the third one at its end.
    #expect(order.last == 2)
  }

  // Programming errors trap.

  @Test func twoParametersWithOneNameTrap() async {
    await #expect(processExitsWith: .failure) {
      _ = ParameterLayout { (parameters: Parameters) in
        _ = parameters.tensor("a", [1], .constant(0), decays: true)
        _ = parameters.tensor("a", [2], .constant(0), decays: true)
      }
    }
  }

  @Test func aBufferOfAnotherSizeTraps() async {
    await #expect(processExitsWith: .failure) {
      let layout = ParameterLayout { $0.tensor("a", [4], .constant(0), decays: true) }
      _ = Workspace().bind(layout, values: FlatBuffer(count: layout.count + 16)) {
        $0.tensor("a", [4], .constant(0), decays: true)
      }
    }
  }

  @Test func aNetworkThatDoesNotMatchTheLayoutTraps() async {
    await #expect(processExitsWith: .failure) {
      let layout = ParameterLayout { $0.tensor("a", [4], .constant(0), decays: true) }
      _ = Workspace().bind(layout, values: FlatBuffer(count: layout.count)) {
        $0.tensor("a", [2, 2], .constant(0), decays: true)
      }
    }
    await #expect(processExitsWith: .failure) {
      let layout = ParameterLayout { $0.tensor("a", [4], .constant(0), decays: true) }
      _ = Workspace().bind(layout, values: FlatBuffer(count: layout.count)) {
        $0.tensor("b", [4], .constant(0), decays: true)
      }
    }
  }

  @Test func gradientsWithoutABufferTrap() async {
    await #expect(processExitsWith: .failure) {
      let workspace = Workspace()
      let layout = ParameterLayout { $0.tensor("a", [4], .constant(0), decays: true) }
      let a = workspace.bind(layout, values: FlatBuffer(count: layout.count)) {
        $0.tensor("a", [4], .constant(0), decays: true)
      }
      workspace.backward(from: workspace.recording { a.sum() })
    }
  }

  @Test func differentShapesTrap() async {
    await #expect(processExitsWith: .failure) {
      let workspace = Workspace()
      _ = Tensor([1], shape: [1], in: workspace) + Tensor([1, 2], shape: [2], in: workspace)
    }
  }
}
