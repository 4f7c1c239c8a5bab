// "Token ids to more token ids. Knows no text."

import Glibc

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
  /// Equal logits are ordered by id, so the choice is a function of its arguments.
  public func choose(from logits: UnsafeBufferPointer<Float>, uniform: Float) -> Int32 {
    precondition(!logits.isEmpty, "a choice from no tokens")
    guard temperature > 0 else {
      var best = 0
      for id in logits.indices where logits[id] > logits[best] { best = id }
      return Int32(best)
    }
    var candidates = Array(logits.indices)
    let isCut = topP < 1 || (topK.map { $0 < candidates.count } ?? false)
    if isCut {
      candidates.sort { logits[$0] > logits[$1] || (logits[$0] == logits[$1] && $0 < $1) }
      if let topK { candidates.removeLast(max(0, candidates.count - max(1, topK))) }
    }
    let top = candidates.reduce(-Float.infinity) { max($0, logits[$1]) }
    var weights = candidates.map { exp(Double((logits[$0] - top) / temperature)) }
    if topP < 1 {
      let total = weights.reduce(0, +)
      var sum: Double = 0
      var kept = 0
      while kept < weights.count && (kept == 0 || sum < Double(topP) * total) {
        sum += weights[kept]
        kept += 1
      }
      weights.removeLast(weights.count - kept)
    }
    var rest = Double(uniform) * weights.reduce(0, +)
    for (place, weight) in weights.enumerated() {
      rest -= weight
      if rest < 0 { return Int32(candidates[place]) }
    }
    return Int32(candidates[weights.count - 1])
  }
}
