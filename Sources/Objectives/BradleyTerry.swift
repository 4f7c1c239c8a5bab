import Tensors

/// The loss of a reward model on preference pairs (Bradley and Terry 1952; Ouyang and others 2022).
///
/// Of a pair with scores c (chosen) and r (rejected) and margin m:
///
///     −log σ(c − r − m) + centring·(c + r)²
///
/// The margin is Touvron and others' (2023), the centring, which keeps the scores around 0,
/// Eisenstein and others' (2023).
public struct BradleyTerry: Sendable, Equatable {
  /// Factor of the squared sum of a pair's scores.
  public var centring: Double

  /// - Parameter centring: See the property; 0 for none, 0.01 is usual.
  public init(centring: Double = 0) {
    precondition(centring >= 0, "a centring of \(centring)")
    self.centring = centring
  }

  /// The sum of the pairs' losses.
  ///
  /// - Parameters:
  ///   - scores: 2P of them, in any shape; pair i is 2i (chosen) and 2i + 1 (rejected).
  ///   - margins: By how much the chosen side of each pair should lead; nil for 0.
  ///   - weights: A factor for each pair, 0 for one that does not count; nil for all 1.
  public func callAsFunction(
    _ scores: Tensor, margins: [Float]? = nil, weights: [Float]? = nil
  ) -> Loss {
    let pairs = scores.count / 2
    precondition(
      scores.count == 2 * pairs && margins.map { $0.count == pairs } ?? true
        && weights.map { $0.count == pairs } ?? true,
      "BradleyTerry: \(scores.shape) scores, \(margins?.count ?? pairs) margins, "
        + "\(weights?.count ?? pairs) weights")
    var measures = Measures()
    let losses = scores.reshaped([pairs, 2]).rowwise { pair, scores, slopes in
      let weight = Double(weights?[pair] ?? 1)
      guard weight != 0 else {
        slopes.update(repeating: 0)
        return 0
      }
      let (chosen, rejected) = (Double(scores[0]), Double(scores[1]))
      let lead = chosen - rejected
      let excess = lead - Double(margins?[pair] ?? 0)
      let sum = chosen + rejected
      let loss = -Logistic.logSigmoid(excess) + centring * sum * sum
      let slope = Logistic.sigmoid(-excess)
      slopes[0] = Float(weight * (-slope + 2 * centring * sum))
      slopes[1] = Float(weight * (slope + 2 * centring * sum))
      measures.add(loss, to: .loss, weight: weight)
      measures.addPair(chosen: chosen, rejected: rejected)
      return Float(weight * loss)
    }
    return Loss(losses, count: weights.total(of: pairs), measures: measures)
  }
}

extension Measures {
  /// Observes the rewards of a pair.
  mutating func addPair(chosen: Double, rejected: Double) {
    add(chosen > rejected ? 1 : chosen == rejected ? 0.5 : 0, to: .accuracy)
    add(chosen - rejected, to: .margin)
    add(chosen, to: .chosenReward)
    add(rejected, to: .rejectedReward)
  }
}

extension Optional<[Float]> {
  /// The sum of the weights; `count` where there are none.
  func total(of count: Int) -> Double { map { $0.reduce(0) { $0 + Double($1) } } ?? Double(count) }
}
