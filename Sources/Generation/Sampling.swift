// "Token ids to more token ids. Knows no text."

import CKernels

/// How the next token is chosen from the logits.
public struct Sampling: Sendable, Equatable {
  /// Divides the logits; 0 always takes the most likely token.
  public var temperature: Float
  /// Only so many of the most likely tokens are in the draw; nil for all.
  public var topK: Int?
  /// Only the most likely tokens that together reach this probability are in the draw (Holtzman and
  /// others 2020).
  ///
  /// 1 for all.
  public var topP: Float

  /// See the properties.
  public init(temperature: Float = 1, topK: Int? = nil, topP: Float = 1) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
  }

  /// Always the most likely token.
  public static let greedy = Sampling(temperature: 0)

  /// The token chosen by a number uniform in [0, 1).
  ///
  /// Equal logits are ordered by id, so the choice is a function of its arguments. What is no number
  /// is never chosen while a number is there.
  public func choose(from logits: UnsafeBufferPointer<Float>, uniform: Float) -> Int32 {
    precondition(!logits.isEmpty, "a choice from no tokens")
    let top = apus_largest(logits.baseAddress, logits.count)
    // An infinite logit leaves nothing to draw.
    guard temperature > 0, top.isFinite else {
      let best = apus_place(logits.baseAddress, logits.count, top)
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
    // Ever less likely tokens, until there are enough of them to sort.
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

  /// What the tokens weigh in the draw; the best weighs 1.
  private func weights(_ logits: UnsafeBufferPointer<Float>, top: Float) -> [Float] {
    [Float](unsafeUninitializedCapacity: logits.count) { weights, count in
      apus_weights(weights.baseAddress, logits.baseAddress, logits.count, top, temperature)
      count = logits.count
    }
  }

  /// As many of the weights, best first, as together reach `topP` of `total`; one at least.
  private func prefix(of weights: [Float], total: Double) -> ArraySlice<Float> {
    guard topP < 1 else { return weights[...] }
    var (sum, kept) = (0.0, 0)
    while kept < weights.count && (kept == 0 || sum < Double(topP) * total) {
      sum += Double(weights[kept])
      kept += 1
    }
    return weights[..<kept]
  }

  /// The first place up to which the weights come to more than `uniform` of them all.
  private func place(in weights: ArraySlice<Float>, uniform: Float) -> Int {
    weights.withUnsafeBufferPointer { weights in
      let sums = weights.blockSums
      var rest = Double(uniform) * sums.reduce(0, +)
      for (block, sum) in sums.enumerated() {
        // The sum of a block and its places one by one differ by rounding: if no place is reached,
        // its last one that weighs anything is.
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

  /// Sums of blocks, so that a draw looks into one only.
  fileprivate var blockSums: [Double] {
    (0..<(count + Self.blockLength - 1) / Self.blockLength).map {
      let block = block($0)
      return apus_sum(baseAddress.map { $0 + block.lowerBound }, block.count)
    }
  }

  fileprivate var ids: [Int32] { (0..<Int32(count)).map { $0 } }

  /// Whether `a` comes before `b`: by the logit, then by the id.
  fileprivate func isBetter(_ a: Int32, than b: Int32) -> Bool {
    let (x, y) = (logit(Int(a)), logit(Int(b)))
    return x > y || (x == y && a < b)
  }

  /// The logit of `id`; the lowest there is for what is no number.
  private func logit(_ id: Int) -> Float { self[id].isNaN ? -.infinity : self[id] }

  /// Ids of the logits that are `least` or more, in ascending order.
  fileprivate func places(from least: Float) -> [Int32] {
    [Int32](unsafeUninitializedCapacity: count) { places, found in
      found = apus_places_from(places.baseAddress, baseAddress, count, least)
    }
  }

  /// The `most` best ids, best first.
  fileprivate func best(_ most: Int) -> [Int32] {
    guard most < count / 8 else { return Array(ids.sorted(by: isBetter).prefix(most)) }
    var best: [Int32] = []
    best.reserveCapacity(most + 1)
    var worst = -Float.infinity
    // Ids ascend: one that equals the worst comes after it.
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
