import Optimizers
import RandomNumbers
import Testing

@Suite struct OptimizerTests {
  private func numbers(_ count: Int, _ tag: Int) -> [Float] {
    let stream = RandomStream(seed: 5, purpose: .probe, tag)
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

  @Test func adamWEqualsAnFP64Reference() {
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

  @Test(arguments: [0.0, 0.9]) func sgdEqualsAnFP64Reference(momentum: Double) {
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

  @Test(arguments: [0.0, 0.9]) func nesterovEqualsAnFP64Reference(momentum: Double) {
    let count = 21
    let result = run(NesterovSGD(momentum: Float(momentum)), count: count, steps: 4, cuts: [])
    var weights = numbers(count, 1).map(Double.init)
    var m = [Double](repeating: 0, count: count)
    for step in 1...4 {
      let gradient = numbers(count, 10 + step).map { 0.7 * Double($0) }
      for i in 0..<count {
        m[i] = momentum * m[i] + gradient[i]
        weights[i] -= 0.01 * (gradient[i] + momentum * m[i])
      }
    }
    for i in 0..<count { #expect(abs(Double(result[i]) - weights[i]) < 1e-6) }
  }

  /// The sharded optimizer cuts ranges anywhere, so no bit may depend on the cuts.
  @Test func cutsOfTheRangeDoNotChangeABit() {
    for rule in [
      AdamW(betas: (0.9, 0.99), weightDecay: 0.1), SGD(momentum: 0.9, weightDecay: 0.1),
      NesterovSGD(momentum: 0.9),
    ]
      as [any Optimizer]
    {
      let whole = run(rule, count: 100, steps: 3, cuts: [])
      #expect(run(rule, count: 100, steps: 3, cuts: [1, 17, 50, 51, 99]) == whole)
    }
  }

  /// The first step moves every weight by the learning rate against the sign of its gradient,
  /// whatever the gradient's size, because the bias corrections undo the initial zeros of the
  /// moments.
  @Test(arguments: [0.95, 0.999, 0.999_99] as [Float])
  func theFirstStepOfAdamHasTheSizeOfTheLearningRate(beta2: Float) {
    let rule = AdamW(betas: (0.9, beta2), epsilon: 1e-12, weightDecay: 0)
    let gradient: [Float] = [1e-4, -1e-4, 3, -3, 1e4, 0]
    var weights = [Float](repeating: 0, count: 6)
    var m = weights
    var v = weights
    weights.withUnsafeMutableBufferPointer { weights in
      m.withUnsafeMutableBufferPointer { m in
        v.withUnsafeMutableBufferPointer { v in
          guard let m = m.baseAddress, let v = v.baseAddress else { return }
          rule.update(
            weights, state: [m, v], along: gradient, factor: 0.5, learningRate: 0.01,
            decays: false, update: 1)
        }
      }
    }
    for (weight, expected) in zip(weights, [-0.01, 0.01, -0.01, 0.01, -0.01, 0] as [Float]) {
      #expect(abs(weight - expected) < 1e-6)
    }
  }

  private func power(_ base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { result, _ in result * base }
  }
}
