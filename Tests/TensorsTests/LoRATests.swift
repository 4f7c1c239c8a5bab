import Testing

@testable import Tensors

/// A network of two linear layers, a norm between them, and a head.
private struct Network {
  struct Linear {
    let weight: Tensor
    let order: WeightOrder
    let lora: LoRATensors?

    init(_ parameters: Parameters, _ inputs: Int, _ outputs: Int, _ order: WeightOrder) {
      weight = parameters.tensor(
        "weight", order == .outputsByInputs ? [outputs, inputs] : [inputs, outputs],
        .normal(std: 0.5), decays: true)
      self.order = order
      lora = parameters.lora(inputs: inputs, outputs: outputs, order: order)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      guard let lora else { return x.linear(weight: weight, order: order) }
      let inner = x.linear(weight: lora.down, order: .outputsByInputs) * lora.scale
      return x.linear(weight: weight, order: order, plus: (inner, lora.up))
    }
  }

  let embedding: Tensor
  let first: Linear
  let gain: Tensor
  let bias: Tensor
  let second: Linear
  let head: Tensor

  init(_ parameters: Parameters) {
    embedding = parameters["embed"].tensor("weight", [9, 6], .normal(std: 1), decays: true)
    first = Linear(parameters["h"][0]["q_proj"], 6, 5, .outputsByInputs)
    gain = parameters["h"][0]["norm"].tensor("weight", [5], .constant(1), decays: false)
    bias = parameters["h"][0]["norm"].tensor("bias", [5], .constant(0), decays: false)
    second = Linear(parameters["h"][1]["c_attn"], 5, 7, .inputsByOutputs)
    head = parameters["score"].tensor("weight", [3, 7], .normal(std: 1), decays: true)
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

  @Test func patternsThatMatchNoModuleAreRefused() {
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

  /// Names of a model have 30 to 60 characters.
  @Test(arguments: ["(.+)+!", "(a|a)*!", "((?:a+))+!", "(a?){60}a{60}!", "(.*a){20}!"])
  func aPatternThatTakesTooManyStepsIsRefused(pattern: String) throws {
    let name = String(repeating: "a", count: 60)
    #expect(throws: LoRAError.slowPattern(pattern, name: name)) {
      try ModulePattern(pattern).matches(name)
    }
    let network = { (parameters: Parameters) in
      (0..<1000).map { Network.Linear(parameters["\(name)\($0)"], 2, 2, .outputsByInputs) }
    }
    let start = ContinuousClock.now
    #expect(throws: LoRAError.slowPattern(pattern, name: name + "0")) {
      try AdaptedLayout(of: { network($0) }, lora: LoRA(rank: 1, alpha: 1, targets: [pattern]))
    }
    #expect(ContinuousClock.now - start < .seconds(10))
    // One module that matches does not hide another that cannot be decided.
    #expect(throws: LoRAError.self) {
      try AdaptedLayout(
        of: { [Network.Linear($0["z"], 2, 2, .outputsByInputs)] + network($0) },
        lora: LoRA(rank: 1, alpha: 1, targets: ["z|\(pattern)"]))
    }
  }

  @Test(arguments: [
    #"(?:\bmodel\.layers\.[\d]{1,}\.)(?:(?:q|k)_proj)$"#, #"model\.(\w+\.)+q_proj"#,
    "(?!lm)(model|x)(.layers.[0-9]+)*.q_proj", "[(a+)]+|.*q_proj",
  ])
  func repetitionsThatTakeFewStepsAreMatched(pattern: String) throws {
    #expect(try ModulePattern(pattern).matches("model.layers.17.q_proj"))
    #expect(try !ModulePattern(pattern).matches("lm.model.layers.17.q_proj_x"))
  }

  @Test func layoutsSeparateTrainableFromFrozenParameters() throws {
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
    // Modules that are trained in full have no adapter.
    let one = try layouts(["all-linear"], modulesToSave: ["h.1"])
    #expect(
      one.trainable.entries.map(\.name) == [
        "h.0.q_proj.lora_A.weight", "h.0.q_proj.lora_B.weight", "h.1.c_attn.weight",
      ])
    #expect(one.trainable.lora?.adapters.map(\.name) == ["h.0.q_proj"])
    #expect(one.trainable.summary != both.trainable.summary)
  }

  @Test func newAdaptersHaveUniformAAndZeroB() throws {
    let layout = try AdaptedLayout(
      of: { Network.Linear($0["map"], 400, 3, .outputsByInputs) },
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

  /// Binds a network under LoRA with random adapters.
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
    for (index, value) in probeValues(both.trainable.count, 3).enumerated() {
      trainable.elements[index] = value * 0.3
    }
    let network = workspace.bind(
      both.trainable, values: trainable,
      frozen: FrozenParameters(layout: both.frozen, values: frozen, precision: .fp32), Network.init)
    return (network, trainable)
  }

  @Test func mergedWeightsComputeTheSameAsAdapters() throws {
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

  @Test func layersBeforeTheFirstAdapterAreNotRecorded() throws {
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
    // u·A, its scale, x·W + u·B, the activation, the head and the sum. Embedding, first layer and
    // norm come before the first trainable parameter.
    #expect(operations == 6)
    #expect(gradient.elements.contains { $0 != 0 })
  }

  @Test func recomputationOfFrozenLayersRecordsNothing() throws {
    let workspace = Workspace()
    let x = workspace.probe([3, 4], 1)
    let weight = workspace.probe([4, 4], 2)
    let y = workspace.recording {
      x.recomputed { $0.linear(weight: weight, order: .outputsByInputs) }
    }
    #expect(!y.needsGradient && workspace.tape.isEmpty)
    #expect(y.values == x.linear(weight: weight, order: .outputsByInputs).values)
  }

  @Test func gradientsThroughNormsDoNotDependOnFrozenGains() {
    let workspace = Workspace()
    let (x, gain, bias) = (
      workspace.probe([130, 33], 1), workspace.probe([33], 2), workspace.probe([33], 3)
    )
    let outputGradient = probeValues(130 * 33, 4)
    let all = workspace.gradients([x, gain, bias], outputGradient: outputGradient) {
      $0[0].layerNorm(gain: $0[1], bias: $0[2], epsilon: 1e-5)
    }
    let one = workspace.gradients([x], outputGradient: outputGradient) {
      $0[0].layerNorm(gain: gain, bias: bias, epsilon: 1e-5)
    }
    #expect(one[0] == all[0])
    let both = workspace.gradients([x, gain], outputGradient: outputGradient) {
      $0[0].rmsNorm(gain: $0[1], epsilon: 1e-5)
    }
    let alone = workspace.gradients([x], outputGradient: outputGradient) {
      $0[0].rmsNorm(gain: gain, epsilon: 1e-5)
    }
    #expect(alone[0] == both[0])
  }

  /// A frozen network on the same worker is not part of the layout.
  @Test func aFrozenNetworkSharesTheWorkerOfTheTrainedOne() {
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

/// Tensors saved for the backward pass of frozen layers.
@Suite struct FrozenMemoryTests {
  @Test func inputsOfFrozenLinearLayersAreNotSaved() {
    /// Returns the bytes that the forward pass of ten linear layers adds to the pool.
    func bytes(isFrozen: Bool) -> Int {
      let workspace = Workspace()
      let weights = (0..<10).map { workspace.probe([64, 64], $0) }
      let before = workspace.pool.bytesHeld
      workspace.recording {
        var x = workspace.probe([256, 64], 11).differentiable
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
