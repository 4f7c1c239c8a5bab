import Tensors
import Testing

@testable import Objectives

/// The token losses of PPO and GRPO, compared with TRL's.
@Suite struct PolicyTests {
  /// The policy loss as a function of the log-probabilities alone.
  private func run(
    _ objective: ClippedPolicy, old: [Float], advantages: [Float], reference: [Float]? = nil,
    weights: [Float]
  ) -> (Tensor) -> Loss {
    { chosen in
      let entropies = Tensor(repeating: 1.5, shape: chosen.shape, in: chosen.workspace)
      return objective(
        TokenLogProbabilities(chosen: chosen, entropies: entropies), oldLogProbabilities: old,
        advantages: advantages, reference: reference, weights: weights)
    }
  }

  @Test func policyLossEqualsThatOfTRL() throws {
    let golden = try Golden("ppo")
    let objective = ClippedPolicy(clip: try golden.number("clip"))
    let new = try golden.floats("new")
    let mask = try golden.floats("mask")
    let loss = differentiated(
      new,
      run(
        objective, old: try golden.floats("old"), advantages: try golden.floats("advantages"),
        weights: mask))
    var error = worst([loss.total], [try golden.number("loss")])
    error = max(error, worst(loss.gradient, try golden.numbers("gradient")))
    for (measure, key) in [
      (Measure.clipFraction, "clipFraction"), (.ratio, "ratio"), (.largestRatio, "largestRatio"),
      (.updateKL, "k1"), (.updateKLk3, "k3"),
    ] {
      let value = try #require(loss.measures[measure])
      error = max(error, worst([value], [try golden.number(key)]))
    }
    print("PPO's policy loss: worst error \(error)")
    #expect(error <= tolerance)
    #expect(loss.count == mask.reduce(0) { $0 + Double($1) })
    #expect(try golden.number("clipFraction") > 0)
    #expect(loss.measures[.entropy] == 1.5)
  }

  @Test func valueLossEqualsThatOfTRL() throws {
    let golden = try Golden("value")
    let objective = ClippedValue(clip: try golden.number("clip"), coefficient: 1)
    let (old, returns) = (try golden.floats("old"), try golden.floats("returns"))
    let mask = try golden.floats("mask")
    let run = { (objective: ClippedValue) in
      differentiated(try golden.floats("new")) {
        objective($0, oldValues: old, returns: returns, weights: mask)
      }
    }
    let loss = try run(objective)
    var error = worst([loss.total], [try golden.number("loss")])
    error = max(error, worst(loss.gradient, try golden.numbers("gradient")))
    error = max(
      error,
      worst(
        [loss.measures[.valueClipFraction] ?? .nan, loss.measures.explainedVariance ?? .nan],
        [try golden.number("clipFraction"), try golden.number("explainedVariance")]))
    print("PPO's value loss: worst error \(error)")
    #expect(error <= tolerance)
    let half = try run(ClippedValue(clip: try golden.number("clip"), coefficient: 0.5))
    #expect(half.gradient == loss.gradient.map { $0 / 2 })
    // Without clipping, half the squared error.
    let free = try run(ClippedValue(clip: nil, coefficient: 1))
    let errors = zip(zip(try golden.floats("new"), returns), mask).map { ($0.0 - $0.1) * $1 }
    #expect(worst(free.gradient, errors.map { Double($0) }) <= tolerance)
  }

  @Test func groupLossEqualsThatOfTRL() throws {
    let golden = try Golden("grpo")
    let length = try golden.integer("length")
    let lengths = try golden.integers("lengths")
    let size = try golden.integer("size")
    let rewards = try golden.numbers("rewards")
    let groups = stride(from: 0, to: rewards.count, by: size).map { Array(rewards[$0..<$0 + size]) }
    let scaled = groups.flatMap { GroupAdvantage()($0) }
    let centred = groups.flatMap { GroupAdvantage(isScaled: false)($0) }
    var error = worst(scaled, try golden.numbers("scaled"))
    error = max(error, worst(centred, try golden.numbers("centred")))
    let advantages = scaled.flatMap { Array(repeating: $0, count: length) }
    for setting in try golden.cases() {
      let kind = try setting.text("kind")
      let weighing: TokenWeights = kind == "grpo" ? .completion : .token
      let weights = lengths.flatMap { own in
        (0..<length).map { $0 < own ? weighing.weight(length: own) : 0 }
      }
      let objective = ClippedPolicy(
        clip: try golden.number("clipLow"), high: try golden.number("clipHigh"),
        referenceKL: try setting.number("beta"))
      let run = run(
        objective, old: try golden.floats("old"), advantages: advantages,
        reference: try golden.floats("reference"), weights: weights)
      let loss = differentiated(try golden.floats("new"), run)
      // Dr. GRPO divides by a constant.
      let count = kind == "dr_grpo" ? Double(lengths.count * length) : loss.count
      // The advantages of a group cancel: a difference is compared with one, their size.
      error = max(error, worst([loss.total / count, 1], [try setting.number("loss"), 1]))
      error = max(
        error, worst(loss.gradient.map { Double($0) / count }, try setting.numbers("gradient")))
      #expect((loss.measures[.referenceKLk3] ?? 0) > 0)
    }
    print("GRPO's advantages and loss: worst error \(error)")
    #expect(error <= tolerance)
  }

  /// The points avoid the corners of the losses, where no derivative exists.
  @Test func gradientsEqualFiniteDifferences() {
    let old: [Float] = [-1, -2, -0.5, -3, -1, -2]
    let new: [Float] = [-0.95, -1.2, -1.2, -2.2, -1.9, -2.05]
    let objective = ClippedPolicy(clip: 0.2, referenceKL: 0.3)
    let check = differences(
      new,
      run(
        objective, old: old, advantages: [1, 2, -1, -0.5, 3, 0], reference: old.map { $0 - 0.4 },
        weights: [1, 1, 0.5, 1, 1, 1]))
    #expect(check.worstError < 2e-3, "\(check.place)")
    let values = differences([0.1, 0.9, -2, 0.4]) {
      ClippedValue(clip: 0.3)(
        $0, oldValues: [0, 0, 0, 0.5], returns: [1, 0.2, -1, 0.4], weights: [1, 1, 0.5, 1])
    }
    #expect(values.worstError < 2e-3, "\(values.place)")
  }

  @Test func ratioIsOneBeforeTheFirstUpdate() {
    let old: [Float] = [-1.37, -0.004, -11.5]
    let loss = differentiated(
      old, run(ClippedPolicy(), old: old, advantages: [2, -1, 0.5], weights: [1, 1, 1]))
    #expect(loss.measures[.ratio] == 1 && loss.measures[.largestRatio] == 1)
    #expect(loss.measures[.updateKL] == 0 && loss.measures[.clipFraction] == 0)
    #expect(loss.total == -1.5 && loss.gradient == [-2, 1, -0.5])
  }

  @Test func entropyBonusHasAGradientForTheEntropies() throws {
    let workspace = Workspace()
    let chosen = Tensor([-1, -2, -3], shape: [3], in: workspace)
    let entropies = Tensor([0.5, 2, 1], shape: [3], in: workspace)
    let (sum, gradients) = valueWithGradient(at: [chosen, entropies]) {
      ClippedPolicy(entropyBonus: 0.1)(
        TokenLogProbabilities(chosen: $0[0], entropies: $0[1]), oldLogProbabilities: [-1, -2, -3],
        advantages: [0, 0, 0], weights: [1, 0, 0.5]
      ).sum
    }
    #expect(abs(sum.scalar + 0.1) < 1e-7)
    let gradient = try #require(gradients[1]).values
    #expect(worst(gradient, [-0.1, 0, -0.05]) <= tolerance)
  }

  /// A masked token may hold any value.
  @Test func maskedTokensDoNotChangeTheLoss() {
    let loss = differentiated(
      [-1, .nan], run(ClippedPolicy(), old: [-1, .nan], advantages: [1, .nan], weights: [1, 0]))
    #expect(loss.total == -1 && loss.gradient == [-1, 0] && loss.measures[.ratio] == 1)
  }
}
