/// How the tokens of an answer weigh in a loss over answers of different lengths.
///
/// The weights of all answers add up to the count that the sum of the losses is divided by.
public enum TokenWeights: Sendable, Equatable {
  /// Every token of the step weighs the same (PPO in TRL; DAPO).
  case token
  /// Every answer weighs the same, and its tokens share that (GRPO in Shao and others 2024).
  case answer

  /// The weight of each of the tokens of an answer of `length` tokens.
  public func weight(length: Int) -> Float {
    switch self {
    case .token: 1
    case .answer: length > 0 ? 1 / Float(length) : 0
    }
  }
}
