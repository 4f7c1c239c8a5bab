import Foundation
import Generation
import Testing

/// The distribution that `Sampling` describes, computed by its definition in fp64.
enum ReferenceDistribution {
  static func probabilities(
    _ logits: [Float], temperature: Double, topK: Int? = nil, topP: Double = 1
  ) -> [Double] {
    let order = logits.indices.sorted {
      logits[$0] > logits[$1] || (logits[$0] == logits[$1] && $0 < $1)
    }
    let candidates = order.prefix(topK ?? order.count)
    let top = Double(logits[order[0]])
    let weights = candidates.map { exp((Double(logits[$0]) - top) / temperature) }
    let total = weights.reduce(0, +)
    var kept: [(id: Int, weight: Double)] = []
    var sum = 0.0
    for (id, weight) in zip(candidates, weights) where kept.isEmpty || sum < topP * total {
      kept.append((id, weight))
      sum += weight
    }
    var result = [Double](repeating: 0, count: logits.count)
    for (id, weight) in kept { result[id] = weight / sum }
    return result
  }
}

@Suite struct SamplingTests {
  /// Probabilities 0.4, 0.3, 0.2 and 0.1, out of order.
  static let logits: [Float] = [0.2, 0.4, 0.1, 0.3].map { Float(log($0)) }

  private func choose(_ sampling: Sampling, from logits: [Float], uniform: Float = 0.5) -> Int32 {
    logits.withUnsafeBufferPointer { sampling.choose(from: $0, uniform: uniform) }
  }

  /// Returns the fraction of choices of each token over a fine grid of the unit interval.
  private func frequencies(_ sampling: Sampling, from logits: [Float] = logits) -> [Double] {
    let steps = 4096
    var counts = [Double](repeating: 0, count: logits.count)
    for step in 0..<steps {
      counts[Int(choose(sampling, from: logits, uniform: Float(step) / Float(steps)))] += 1
    }
    return counts.map { $0 / Double(steps) }
  }

  private func expect(
    _ sampling: Sampling, _ expected: [Double], _ location: SourceLocation = #_sourceLocation
  ) {
    for (frequency, probability) in zip(frequencies(sampling), expected) {
      #expect(abs(frequency - probability) < 1e-3, sourceLocation: location)
      #expect((frequency == 0) == (probability == 0), sourceLocation: location)
    }
  }

  @Test func tokensAreSampledWithTheirProbabilities() {
    expect(Sampling(), [0.2, 0.4, 0.1, 0.3])
  }

  @Test func temperatureSharpensAndFlattens() {
    // A temperature of ½ squares the probabilities: 4, 16, 1 and 9 thirtieths.
    expect(Sampling(temperature: 0.5), [4, 16, 1, 9].map { $0 / 30 })
    let roots = [0.2, 0.4, 0.1, 0.3].map { $0.squareRoot() }
    expect(Sampling(temperature: 2), roots.map { $0 / roots.reduce(0, +) })
  }

  @Test func topKKeepsTheMostLikely() {
    expect(Sampling(topK: 1), [0, 1, 0, 0])
    expect(Sampling(topK: 2), [0, 4.0 / 7, 0, 3.0 / 7])
    expect(Sampling(topK: 3), [2.0 / 9, 4.0 / 9, 0, 3.0 / 9])
    expect(Sampling(topK: 4), [0.2, 0.4, 0.1, 0.3])
    expect(Sampling(topK: 99), [0.2, 0.4, 0.1, 0.3])
  }

  /// Top-p keeps the smallest set whose probability reaches p, with the token that crosses it.
  @Test func topPKeepsTheSmallestSetThatReachesIt() {
    expect(Sampling(topP: 0.01), [0, 1, 0, 0])
    expect(Sampling(topP: 0.39), [0, 1, 0, 0])
    expect(Sampling(topP: 0.41), [0, 4.0 / 7, 0, 3.0 / 7])
    expect(Sampling(topP: 0.69), [0, 4.0 / 7, 0, 3.0 / 7])
    expect(Sampling(topP: 0.89), [2.0 / 9, 4.0 / 9, 0, 3.0 / 9])
    expect(Sampling(topP: 0.91), [0.2, 0.4, 0.1, 0.3])
  }

  /// As in Hugging Face: temperature first, then top-k, then top-p of the rest.
  @Test func topKAndTopPCombine() {
    expect(Sampling(topK: 3, topP: 0.5), [0, 4.0 / 7, 0, 3.0 / 7])
    expect(Sampling(topK: 2, topP: 0.5), [0, 1, 0, 0])
    expect(Sampling(temperature: 0.5, topP: 0.5), [0, 1, 0, 0])
    expect(Sampling(temperature: 0.5, topP: 0.55), [0, 16.0 / 25, 0, 9.0 / 25])
  }

  @Test func greedyTakesTheLargestLogitAndTheLowestIdOfATie() {
    for uniform in [0, 0.5, Float(1).nextDown] {
      #expect(choose(.greedy, from: Self.logits, uniform: uniform) == 1)
      #expect(choose(.greedy, from: [1, 3, 3, 2, 3], uniform: uniform) == 1)
      #expect(choose(.greedy, from: [-7], uniform: uniform) == 0)
      #expect(choose(.greedy, from: [-.infinity, -4], uniform: uniform) == 1)
    }
  }

  @Test func tiesAreBrokenById() {
    let tie: [Float] = [1, 2, 2, 2, 1]
    #expect(frequencies(Sampling(topK: 2), from: tie) == [0, 0.5, 0.5, 0, 0])
    #expect(frequencies(Sampling(topP: 0.01), from: tie) == [0, 1, 0, 0, 0])
  }

  @Test func extremeTemperaturesStayFinite() {
    for cold in [1e-4, 1e-10, Float.leastNormalMagnitude, .leastNonzeroMagnitude] {
      #expect(frequencies(Sampling(temperature: cold)) == [0, 1, 0, 0])
      #expect(frequencies(Sampling(temperature: cold, topK: 3, topP: 0.9)) == [0, 1, 0, 0])
    }
    for hot in [1e9, Float.greatestFiniteMagnitude] {
      expect(Sampling(temperature: hot), [0.25, 0.25, 0.25, 0.25])
    }
  }

  @Test func extremeLogitsStayFinite() {
    let wide: [Float] = [-1e30, 80, 1e30, -.infinity]
    #expect(frequencies(Sampling(), from: wide) == [0, 0, 1, 0])
    #expect(frequencies(Sampling(topK: 2), from: wide) == [0, 0, 1, 0])
    #expect(frequencies(Sampling(), from: [5]) == [1])
    // An excluded token is never chosen, even at the very end of the interval.
    let excluded: [Float] = [1, 1, -.infinity]
    #expect(choose(Sampling(), from: excluded, uniform: Float(1).nextDown) == 1)
    #expect(choose(Sampling(), from: excluded, uniform: 0) == 0)
  }

  @Test func nanIsNeverChosen() {
    let broken: [Float] = [.nan, 2, .nan, 2, -.infinity, .nan]
    for uniform in [0, 0.4, 0.6, Float(1).nextDown] {
      for sampling in [
        .greedy, Sampling(), Sampling(topK: 1), Sampling(topK: 5), Sampling(topP: 0.3),
        Sampling(topP: 0.99),
      ] {
        let id = choose(sampling, from: broken, uniform: uniform)
        #expect(id == 1 || id == 3, "\(sampling) at \(uniform)")
        #expect(choose(sampling, from: [1, .nan, .infinity, 3], uniform: uniform) == 2)
      }
    }
  }

  /// Compares many draws with the definition, from three logits to as many as a vocabulary has.
  @Test func samplesEqualTheDefinition() {
    var generator = LinearCongruential(seed: 5)
    for trial in 0..<400 {
      let count = [3, 17, 300, 2_000][trial % 4]
      let spread = Float([0.1, 1, 4, 20][trial / 4 % 4])
      // Every third one with many ties.
      let logits = (0..<count).map { _ -> Float in
        let x = (generator.uniform() + generator.uniform() - 1) * spread * 2
        return trial % 3 == 0 ? x.rounded() : x
      }
      let sampling = Sampling(
        temperature: [0.3, 1, 2.5][trial / 3 % 3],
        topK: [nil, 1, 5, 40, 1_000][trial / 5 % 5],
        topP: [1, 0.2, 0.9, 0.999][trial / 7 % 4])
      let order = logits.indices.sorted {
        logits[$0] > logits[$1] || (logits[$0] == logits[$1] && $0 < $1)
      }
      let probabilities = ReferenceDistribution.probabilities(
        logits, temperature: Double(sampling.temperature), topK: sampling.topK,
        topP: Double(sampling.topP))
      // With top-k or top-p, the draw walks from the most likely token down, else by id.
      let isCut = sampling.topP < 1 || (sampling.topK.map { $0 < count } ?? false)
      let walk = isCut ? order : Array(logits.indices)
      for _ in 0..<20 {
        let uniform = generator.uniform()
        let id = Int(choose(sampling, from: logits, uniform: uniform))
        let place = walk.firstIndex(of: id) ?? 0
        let before = walk[..<place].reduce(0) { $0 + probabilities[$1] }
        let after = before + probabilities[id]
        // Weights are fp32, so the edges may differ a little, and a set by one token.
        let least = probabilities.filter { $0 > 0 }.min() ?? 0
        let slack = 1e-5 + (sampling.topP < 1 ? 1.01 * least : 0)
        #expect(
          before - slack <= Double(uniform) && Double(uniform) < after + slack,
          "\(sampling) of \(count), trial \(trial)")
      }
    }
  }
}

/// A small generator of numbers in [0, 1).
private struct LinearCongruential {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func uniform() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(state >> 40) / Float(1 << 24)
  }
}
