/// The weighting of tokens in a loss over completions of different lengths.
///
/// The weights of all tokens add up to the count that the summed loss is divided by.
package enum TokenWeights: Sendable, Equatable {
  /// Every token of the step has weight 1 (PPO in TRL; DAPO).
  case token
  /// Every token has weight 1 ÷ length of its completion, so that all completions weigh the same
  /// (GRPO in Shao and others 2024).
  case completion

  /// Returns the weight of each token of a completion of `length` tokens.
  package func weight(length: Int) -> Float {
    switch self {
    case .token: 1
    case .completion: length > 0 ? 1 / Float(length) : 0
    }
  }
}
