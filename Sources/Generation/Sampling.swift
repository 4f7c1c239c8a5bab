// "Token ids to more token ids. Knows no text."

import CKernels

/// The settings by which the next token is sampled from the logits.
package struct Sampling: Sendable, Equatable {
  /// The divisor of the logits; 0 always takes the most likely token.
  package var temperature: Float
  /// The number of most likely tokens to sample from; nil for all.
  package var topK: Int?
  /// The probability that the most likely tokens to sample from must reach together (nucleus
  /// sampling, Holtzman and others 2020); 1 for all tokens.
  package var topP: Float

  package init(temperature: Float = 1, topK: Int? = nil, topP: Float = 1) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
  }

  /// Greedy decoding: always the most likely token.
  package static let greedy = Sampling(temperature: 0)

  /// Returns the token that `uniform`, a number in [0, 1), selects.
  ///
  /// Equal logits are ordered by id, so that the result is a function of the arguments alone. A NaN
  /// is never chosen unless all logits are NaN.
  package func choose(from logits: UnsafeBufferPointer<Float>, uniform: Float) -> Int32 {
    precondition(!logits.isEmpty, "sampling from no logits")
    let top = apus_max(logits.baseAddress, logits.count)
    // An infinite logit has probability 1.
    guard temperature > 0, top.isFinite else {
      let best = apus_index_of(logits.baseAddress, logits.count, top)
      return best < logits.count ? Int32(best) : 0
    }
    if let topK, topK < logits.count {
      let candidates = logits.best(max(1, topK))
      let chosen = candidates.map { logits[Int($0)] }
      let weights = chosen.withUnsafeBufferPointer { self.weights($0, top: top) }
      return candidates[place(in: prefix(of: weights, total: weights.total), uniform: uniform)]
    }
    let weights = weights(logits, top: top)
    guard topP < 1 else { return Int32(place(in: weights[...], uniform: uniform)) }
    let total = weights.total
    // Sorting the whole vocabulary is slow: lower the threshold until the tokens above it hold
    // enough probability, and sort only these.
    var reach: Float = 0.5
    while true {
      var candidates = reach < 128 ? logits.places(from: top - reach * temperature) : logits.ids
      let mass = candidates.reduce(0) { $0 + Double(weights[Int($1)]) }
      if mass >= Double(topP) * total || candidates.count == logits.count || reach >= 128 {
        candidates.sort { logits.isBetter($0, than: $1) }
        let kept = prefix(of: candidates.map { weights[Int($0)] }, total: total)
        return candidates[place(in: kept, uniform: uniform)]
      }
      reach *= 2
    }
  }

  /// Returns the unnormalised probability of every token, exp((logit − top) / temperature); the
  /// most likely token has 1.
  private func weights(_ logits: UnsafeBufferPointer<Float>, top: Float) -> [Float] {
    [Float](unsafeUninitializedCapacity: logits.count) { weights, count in
      apus_softmax_weights(weights.baseAddress, logits.baseAddress, logits.count, top, temperature)
      count = logits.count
    }
  }

  /// Returns the shortest prefix of the weights, sorted from the largest, whose sum reaches `topP`
  /// of `total`; at least one weight.
  private func prefix(of weights: [Float], total: Double) -> ArraySlice<Float> {
    guard topP < 1 else { return weights[...] }
    var (sum, kept) = (0.0, 0)
    while kept < weights.count && (kept == 0 || sum < Double(topP) * total) {
      sum += Double(weights[kept])
      kept += 1
    }
    return weights[..<kept]
  }

  /// Returns the first place at which the running sum of the weights exceeds the fraction `uniform`
  /// of their total.
  private func place(in weights: ArraySlice<Float>, uniform: Float) -> Int {
    weights.withUnsafeBufferPointer { weights in
      let sums = weights.blockSums
      var rest = Double(uniform) * sums.reduce(0, +)
      for (block, sum) in sums.enumerated() {
        // The sum of a block and the running sum over its places differ by rounding: if the running
        // sum does not reach the target, the last place with a positive weight is taken.
        guard rest - sum < 0 || block == sums.count - 1 else {
          rest -= sum
          continue
        }
        let places = weights.block(block)
        for place in places {
          rest -= Double(weights[place])
          if rest < 0 { return place }
        }
        return places.last(where: { weights[$0] > 0 }) ?? weights.count - 1
      }
      return weights.count - 1
    }
  }
}

extension Array<Float> {
  fileprivate var total: Double { withUnsafeBufferPointer { $0.blockSums.reduce(0, +) } }
}

extension UnsafeBufferPointer<Float> {
  private static var blockLength: Int { 256 }

  fileprivate func block(_ index: Int) -> Range<Int> {
    let start = index * Self.blockLength
    return start..<Swift.min(count, start + Self.blockLength)
  }

  /// The sums of blocks of 256 weights, so that a draw walks through one block only.
  fileprivate var blockSums: [Double] {
    (0..<(count + Self.blockLength - 1) / Self.blockLength).map {
      let block = block($0)
      return apus_sum(baseAddress.map { $0 + block.lowerBound }, block.count)
    }
  }

  fileprivate var ids: [Int32] { (0..<Int32(count)).map { $0 } }

  /// Returns true when `a` comes before `b`: by the logit, then by the id.
  fileprivate func isBetter(_ a: Int32, than b: Int32) -> Bool {
    let (x, y) = (logit(Int(a)), logit(Int(b)))
    return x > y || (x == y && a < b)
  }

  /// Returns the logit of `id`; −∞ for NaN.
  private func logit(_ id: Int) -> Float { self[id].isNaN ? -.infinity : self[id] }

  /// Returns the ids of the logits that are at least `least`, ascending.
  fileprivate func places(from least: Float) -> [Int32] {
    [Int32](unsafeUninitializedCapacity: count) { places, found in
      found = apus_indices_at_least(places.baseAddress, baseAddress, count, least)
    }
  }

  /// Returns the ids of the `most` largest logits, largest first.
  fileprivate func best(_ most: Int) -> [Int32] {
    guard most < count / 8 else { return Array(ids.sorted(by: isBetter).prefix(most)) }
    var best: [Int32] = []
    best.reserveCapacity(most + 1)
    var worst = -Float.infinity
    // Ids ascend, so an id whose logit equals the worst comes after it.
    for id in indices where best.count < most || self[id] > worst {
      let logit = logit(id)
      var (low, high) = (0, best.count)
      while low < high {
        let middle = (low + high) / 2
        if self.logit(Int(best[middle])) >= logit { low = middle + 1 } else { high = middle }
      }
      best.insert(Int32(id), at: low)
      if best.count > most { best.removeLast() }
      worst = self.logit(Int(best[best.count - 1]))
    }
    return best
  }
}
