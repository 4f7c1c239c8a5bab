import Optimizers
import RandomNumbers
import Testing

@Suite struct OptimizerTests {
  private func numbers(_ count: Int, _ tag: Int) -> [Float] {
    let stream = RandomStream(seed: 5, purpose: .trial, tag)
    return (0..<count).map { stream.uniform(UInt64($0)) - 0.5 }
  }

  /// Runs `steps` updates, cutting the range at `cuts`.
  private func run(
    _ rule: any Optimizer, count: Int, steps: Int, cuts: [Int], decays: Bool = true
  ) -> [Float] {
    var weights = numbers(count, 1)
    var state = rule.stateNames.map { _ in [Float](repeating: 0, count: count) }
    for step in 1...steps {
      let gradient = numbers(count, 10 + step)
      let edges = [0] + cuts + [count]
      for (start, end) in zip(edges, edges.dropFirst()) {
        weights.withUnsafeMutableBufferPointer { weights in
          let pointers = state.indices.map { index in
            state[index].withUnsafeMutableBufferPointer { $0.baseAddress! + start }
          }
          gradient.withUnsafeBufferPointer { gradient in
            rule.update(
              UnsafeMutableBufferPointer(rebasing: weights[start..<end]), state: pointers,
              along: gradient.baseAddress! + start, factor: 0.7, learningRate: 0.01,
              decays: decays, update: step)
          }
        }
      }
    }
    return weights
  }

  @Test func adamWAgainstSixtyFourBits() {
    let count = 37
    for decays in [true, false] {
      let result = run(
        AdamW(betas: (0.9, 0.95), epsilon: 1e-8, weightDecay: 0.1), count: count, steps: 5,
        cuts: [], decays: decays)
      var weights = numbers(count, 1).map(Double.init)
      var m = [Double](repeating: 0, count: count)
      var v = m
      for step in 1...5 {
        let gradient = numbers(count, 10 + step).map { 0.7 * Double($0) }
        for i in 0..<count {
          m[i] = 0.9 * m[i] + 0.1 * gradient[i]
          v[i] = 0.95 * v[i] + 0.05 * gradient[i] * gradient[i]
          let mHat = m[i] / (1 - power(0.9, step))
          let vHat = v[i] / (1 - power(0.95, step))
          weights[i] *= decays ? 1 - 0.01 * 0.1 : 1
          weights[i] -= 0.01 * mHat / (vHat.squareRoot() + 1e-8)
        }
      }
      for i in 0..<count { #expect(abs(Double(result[i]) - weights[i]) < 1e-6) }
    }
  }

  @Test(arguments: [0.0, 0.9]) func sgdAgainstSixtyFourBits(momentum: Double) {
    let count = 21
    let result = run(
      SGD(momentum: Float(momentum), weightDecay: 0.1), count: count, steps: 4, cuts: [])
    var weights = numbers(count, 1).map(Double.init)
    var m = [Double](repeating: 0, count: count)
    for step in 1...4 {
      let gradient = numbers(count, 10 + step).map { 0.7 * Double($0) }
      for i in 0..<count {
        m[i] = momentum * m[i] + gradient[i] + 0.1 * weights[i]
        weights[i] -= 0.01 * m[i]
      }
    }
    for i in 0..<count { #expect(abs(Double(result[i]) - weights[i]) < 1e-6) }
  }

  /// The sharded optimizer cuts ranges anywhere: not a bit may depend on it.
  @Test func cutsDoNotChangeABit() {
    for rule in [AdamW(betas: (0.9, 0.99), weightDecay: 0.1), SGD(momentum: 0.9, weightDecay: 0.1)]
      as [any Optimizer]
    {
      let whole = run(rule, count: 100, steps: 3, cuts: [])
      #expect(run(rule, count: 100, steps: 3, cuts: [1, 17, 50, 51, 99]) == whole)
    }
  }

  private func power(_ base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { result, _ in result * base }
  }
}

@Suite struct ScheduleTests {
  private func schedule(_ shape: Schedule.Shape, warmup: Int = 10, decay: Int = 0) -> Schedule {
    Schedule(shape: shape, peak: 1, final: 0.1, warmup: warmup, decay: decay, steps: 100)
  }

  @Test(arguments: Schedule.Shape.allCases) func warmUpRisesFromTheFirstStep(shape: Schedule.Shape) {
    #expect(schedule(shape).rate(at: 0) == 0.1)
    #expect(schedule(shape).rate(at: 9) == 1)
    #expect(schedule(shape, warmup: 0).rate(at: 0) == 1)
  }

  @Test func corners() {
    #expect(schedule(.constant).rate(at: 99) == 1)
    #expect(abs(schedule(.linear).rate(at: 55) - 0.55) < 1e-12)
    #expect(abs(schedule(.cosine).rate(at: 55) - 0.55) < 1e-12)
    #expect(abs(schedule(.cosine).rate(at: 100) - 0.1) < 1e-12)
    #expect(schedule(.wsd, decay: 20).rate(at: 79) == 1)
    #expect(abs(schedule(.wsd, decay: 20).rate(at: 90) - 0.55) < 1e-12)
    #expect(schedule(.wsd).rate(at: 99) == 1)
    #expect(abs(schedule(.inverseSquareRoot).rate(at: 39) - 0.5) < 1e-12)
  }
}
