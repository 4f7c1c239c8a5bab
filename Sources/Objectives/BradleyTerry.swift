import Tensors

/// The loss of a reward model on preference pairs (Bradley and Terry 1952; Ouyang and others 2022).
///
/// The loss of a pair with scores c (chosen) and r (rejected) and margin m:
///
///     −log σ(c − r − m) + centring·(c + r)²
///
/// The margin is from Touvron and others (2023); the centring term, which keeps the scores around
/// 0, is from Eisenstein and others (2023).
package struct BradleyTerry: Sendable, Equatable {
  /// Factor of the squared sum of a pair's scores.
  package var centring: Double

  /// - Parameter centring: Factor of the squared sum of a pair's scores; 0 for none, 0.01 is usual.
  package init(centring: Double = 0) {
    precondition(centring >= 0, "a centring of \(centring)")
    self.centring = centring
  }

  /// Returns the summed loss of the pairs.
  ///
  /// - Parameters:
  ///   - scores: 2P scores in any shape; pair i has the scores 2i (chosen) and 2i + 1 (rejected).
  ///   - margins: The margin of each pair, [P]; nil for 0.
  package func callAsFunction(_ scores: Tensor, margins: [Float]? = nil) -> Loss {
    let pairs = scores.count / 2
    precondition(
      scores.count == 2 * pairs && margins.map { $0.count == pairs } ?? true,
      "BradleyTerry: \(scores.shape) scores, \(margins?.count ?? pairs) margins")
    return Loss(rowsOf: scores.reshaped([pairs, 2])) {
      pair, scores, gradient, measures in
      let (chosen, rejected) = (Double(scores[0]), Double(scores[1]))
      let lead = chosen - rejected
      let excess = lead - Double(margins?[pair] ?? 0)
      let sum = chosen + rejected
      let derivative = Logistic.sigmoid(-excess)
      gradient[0] = Float(-derivative + 2 * centring * sum)
      gradient[1] = Float(derivative + 2 * centring * sum)
      measures.addPair(chosen: chosen, rejected: rejected)
      return -Logistic.logSigmoid(excess) + centring * sum * sum
    }
  }
}

extension Measures {
  /// Adds accuracy, margin and rewards of a pair.
  mutating func addPair(chosen: Double, rejected: Double) {
    add(chosen > rejected ? 1 : chosen == rejected ? 0.5 : 0, to: .accuracy)
    add(chosen - rejected, to: .margin)
    add(chosen, to: .chosenReward)
    add(rejected, to: .rejectedReward)
  }
}
