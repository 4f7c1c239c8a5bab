import Testing

@testable import Tensors

/// A network of two linear maps, a norm between them, and a head.
private struct Network {
  struct Map {
    let weight: Tensor
    let order: WeightOrder
    let lowRank: LowRankTensors?

    init(_ parameters: Parameters, _ inputs: Int, _ outputs: Int, _ order: WeightOrder) {
      weight = parameters.tensor(
        "weight", order == .outputsByInputs ? [outputs, inputs] : [inputs, outputs],
        .normal(deviation: 0.5), decays: true)
      self.order = order
      lowRank = parameters.lowRank(inputs: inputs, outputs: outputs, order: order)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      guard let lowRank else { return x.linear(weight: weight, order: order) }
      let inner = x.linear(weight: lowRank.down, order: .outputsByInputs) * lowRank.scale
      return x.linear(weight: weight, order: order, plus: (inner, lowRank.up))
    }
  }

  let embedding: Tensor
  let first: Map
  let gain: Tensor
  let bias: Tensor
  let second: Map
  let head: Tensor

  init(_ parameters: Parameters) {
    embedding = parameters["embed"].tensor("weight", [9, 6], .normal(deviation: 1), decays: true)
    first = Map(parameters["h"][0]["q_proj"], 6, 5, .outputsByInputs)
    gain = parameters["h"][0]["norm"].tensor("weight", [5], .constant(1), decays: false)
    bias = parameters["h"][0]["norm"].tensor("bias", [5], .constant(0), decays: false)
    second = Map(parameters["h"][1]["c_attn"], 5, 7, .inputsByOutputs)
    head = parameters["score"].tensor("weight", [3, 7], .normal(deviation: 1), decays: true)
  }

  func callAsFunction(_ ids: [Int32]) -> Tensor {
    let x = first(embedding.gather(ids)).layerNorm(gain: gain, bias: bias, epsilon: 1e-5)
    return second(x).gelu().linear(weight: head, order: .outputsByInputs)
  }
}

@Suite struct LoRATests {
  let whole = ParameterLayout(of: Network.init)

  private func layouts(_ targets: [String], modulesToSave: [String] = []) throws -> AdaptedLayout {
    try AdaptedLayout(
      of: Network.init,
      lora: LoRA(rank: 2, alpha: 3, targets: targets, modulesToSave: modulesToSave))
  }

  @Test(arguments: [
    ("q_proj", "h.0.q_proj", true), ("proj", "h.0.q_proj", false), ("0.q_proj", "h.0.q_proj", true),
    ("h.0.q_proj", "h.0.q_proj", true), ("h.0", "h.0.q_proj", false),
    (".*q_proj", "h.0.q_proj", true), (".*[12].*", "h.0.q_proj", false),
    ("q.proj", "q_proj", false),
    ("(q|k)_proj", "h.0.q_proj", false), ("all-linear", "anything", true),
  ])
  func patternsMatchAsPEFTDoes(pattern: String, name: String, matches: Bool) throws {
    #expect(try ModulePattern(pattern).matches(name) == matches)
  }

  @Test func patternsThatStandForNothingAreRefused() {
    #expect(throws: LoRAError.noTarget("k_proj", known: ["q_proj", "c_attn"])) {
      try layouts(["q_proj", "k_proj"])
    }
    #expect(throws: LoRAError.noTarget("score", known: ["q_proj", "c_attn"])) {
      try layouts(["score"])
    }
    #expect(throws: LoRAError.badPattern("(q_proj")) { try layouts(["(q_proj"]) }
    #expect(
      throws: LoRAError.noTarget("v_head", known: ["embed", "q_proj", "norm", "c_attn", "score"])
    ) { try layouts(["q_proj"], modulesToSave: ["v_head"]) }
  }

  @Test func whatIsTrainedLeavesTheRestAsItWas() throws {
    let both = try layouts(["all-linear"], modulesToSave: ["score"])
    #expect(
      both.trainable.entries.map(\.name) == [
        "h.0.q_proj.lora_A.weight", "h.0.q_proj.lora_B.weight", "h.1.c_attn.lora_A.weight",
        "h.1.c_attn.lora_B.weight", "score.weight",
      ])
    #expect(both.trainable.entries.map(\.shape) == [[2, 6], [5, 2], [2, 5], [7, 2], [3, 7]])
    #expect(both.frozen.entries.map(\.name) == whole.entries.map(\.name).dropLast())
    #expect(both.counts.trainable + both.counts.frozen == whole.parameterCount + 12 + 10 + 10 + 14)
    #expect(try layouts(["all-linear"]).frozen == whole)
    // Modules that are trained whole have no map beside them.
    let one = try layouts(["all-linear"], modulesToSave: ["h.1"])
    #expect(
      one.trainable.entries.map(\.name) == [
        "h.0.q_proj.lora_A.weight", "h.0.q_proj.lora_B.weight", "h.1.c_attn.weight",
      ])
    #expect(one.trainable.lowRank?.maps.map(\.name) == ["h.0.q_proj"])
    #expect(one.trainable.summary != both.trainable.summary)
  }

  @Test func firstMapsAreUniformAndComputeNothing() throws {
    let layout = try AdaptedLayout(
      of: { Network.Map($0["map"], 400, 3, .outputsByInputs) },
      lora: LoRA(rank: 16, alpha: 1, targets: ["map"])
    ).trainable
    let values = FlatBuffer(count: layout.count)
    layout.initialize(values.elements, seed: 1)
    let (down, up) = (values.elements[layout.entries[0].range], layout.entries[1].range)
    #expect(values.elements[up].allSatisfy { $0 == 0 })
    #expect(down.allSatisfy { abs($0) <= 0.05 })
    let squares = down.reduce(0) { $0 + $1 * $1 } / Float(down.count)
    #expect(abs(squares / (0.05 * 0.05 / 3) - 1) < 0.05)
    #expect(abs(down.reduce(0, +) / Float(down.count)) < 0.002)
  }

  /// A network under LoRA, bound, with random maps.
  private func bound(
    _ both: AdaptedLayout, _ weights: FlatBuffer, in workspace: Workspace
  ) -> (network: Network, trainable: FlatBuffer) {
    let frozen = FlatBuffer(count: both.frozen.count)
    for (entry, place) in zip(both.frozen.entries, whole.entries) {
      for index in 0..<entry.range.count {
        frozen.elements[entry.range.lowerBound + index] =
          weights.elements[place.range.lowerBound + index]
      }
    }
    let trainable = FlatBuffer(count: both.trainable.count)
    for (index, value) in trialValues(both.trainable.count, 3).enumerated() {
      trainable.elements[index] = value * 0.3
    }
    let network = workspace.bind(
      both.trainable, values: trainable,
      frozen: FrozenParameters(layout: both.frozen, values: frozen, precision: .fp32), Network.init)
    return (network, trainable)
  }

  @Test func mergedWeightsComputeTheSame() throws {
    let weights = FlatBuffer(count: whole.count)
    whole.initialize(weights.elements, seed: 2)
    let both = try layouts(["all-linear"], modulesToSave: ["score"])
    let workspace = Workspace()
    let (network, trainable) = bound(both, weights, in: workspace)
    let adapted = network([1, 5, 8]).values
    let before = workspace.bind(whole, values: weights, Network.init)([1, 5, 8]).values
    both.trainable.merge(trainable, into: weights, of: whole)
    let merged = workspace.bind(whole, values: weights, Network.init)([1, 5, 8]).values
    #expect(zip(adapted, merged).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(zip(adapted, before).contains { abs($0 - $1) > 0.1 })
  }

  @Test func frozenParametersTakeNoWork() throws {
    let weights = FlatBuffer(count: whole.count)
    whole.initialize(weights.elements, seed: 2)
    let both = try layouts(["c_attn"])
    let workspace = Workspace()
    let (network, _) = bound(both, weights, in: workspace)
    let gradient = FlatBuffer(count: both.trainable.count)
    workspace.beginGradients(into: gradient)
    let loss = workspace.recording { network([1, 5, 8]).sum() }
    let operations = workspace.tape.count
    var done: [Int] = []
    workspace.backward(from: loss) { done.append($0) }
    #expect(done.sorted() == [0, 1])
    // u·A, its scale, x·W + u·B, the activation, the head, the sum; embedding, first map and norm lie
    // before what is trained.
    #expect(operations == 6)
    #expect(gradient.elements.contains { $0 != 0 })
  }

  /// What is recomputed and has nothing to train is not kept.
  @Test func recomputationOfFrozenLayersKeepsNothing() throws {
    let workspace = Workspace()
    let x = workspace.trial([3, 4], 1)
    let weight = workspace.trial([4, 4], 2)
    let y = workspace.recording {
      x.recomputed { $0.linear(weight: weight, order: .outputsByInputs) }
    }
    #expect(!y.needsGradient && workspace.tape.isEmpty)
    #expect(y.values == x.linear(weight: weight, order: .outputsByInputs).values)
  }

  /// The derivative of x does not depend on whether gains have one.
  @Test func frozenNorms() {
    let workspace = Workspace()
    let (x, gain, bias) = (
      workspace.trial([130, 33], 1), workspace.trial([33], 2), workspace.trial([33], 3)
    )
    let slopes = trialValues(130 * 33, 4)
    let all = workspace.gradients([x, gain, bias], slopes: slopes) {
      $0[0].layerNorm(gain: $0[1], bias: $0[2], epsilon: 1e-5)
    }
    let one = workspace.gradients([x], slopes: slopes) {
      $0[0].layerNorm(gain: gain, bias: bias, epsilon: 1e-5)
    }
    #expect(one[0] == all[0])
    let both = workspace.gradients([x, gain], slopes: slopes) {
      $0[0].rmsNorm(gain: $0[1], epsilon: 1e-5)
    }
    let alone = workspace.gradients([x], slopes: slopes) {
      $0[0].rmsNorm(gain: gain, epsilon: 1e-5)
    }
    #expect(alone[0] == both[0])
  }

  /// A network that is only read stands on the same worker, and is no part of the layout.
  @Test func anotherNetworkBesideTheTrainedOne() {
    let other = FlatBuffer(count: whole.count)
    whole.initialize(other.elements, seed: 5)
    let reference = FrozenParameters(layout: whole, values: other, precision: .fp32)
    let pair = { (parameters: Parameters) in
      (Network(parameters), Network(parameters.over(reference)))
    }
    #expect(ParameterLayout(of: pair) == whole)
    let values = FlatBuffer(count: whole.count)
    whole.initialize(values.elements, seed: 6)
    let workspace = Workspace()
    let (trained, read) = workspace.bind(whole, values: values, pair)
    let second = Workspace()
    #expect(
      read([1, 2]).values == second.bind(whole, values: other, Network.init)([1, 2]).values)
    #expect(trained([1, 2]).values != read([1, 2]).values)
    #expect(workspace.recording { !read([1, 2]).needsGradient && trained([1, 2]).needsGradient })
  }
}

/// What is kept for the backward pass of frozen maps.
@Suite struct FrozenMemoryTests {
  @Test func inputsOfFrozenMapsAreNotKept() {
    /// Bytes of the pool after the forward pass of ten maps.
    func bytes(isFrozen: Bool) -> Int {
      let workspace = Workspace()
      let weights = (0..<10).map { workspace.trial([64, 64], $0) }
      let before = workspace.pool.bytesHeld
      workspace.recording {
        var x = workspace.trial([256, 64], 11).differentiable
        for weight in weights {
          x = x.linear(
            weight: isFrozen ? weight : weight.differentiable, order: .outputsByInputs)
        }
        workspace.backward(from: x.sum())
      }
      return workspace.pool.bytesHeld - before
    }
    #expect(bytes(isFrozen: true) * 2 < bytes(isFrozen: false))
  }
}
