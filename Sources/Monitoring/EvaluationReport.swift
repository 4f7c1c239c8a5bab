/// The results of one evaluation.
package struct EvaluationReport: Sendable, Equatable {
  /// The step after which the model was evaluated.
  package var step: Int
  /// Mean loss over the validation set; in nats per token for a cross-entropy of tokens.
  package var validationLoss: Double
  /// The name of the loss in the log line; nil when a figure shows it already: the loss of a policy
  /// is its negative reward.
  package var lossName: String? = "validation loss"
  /// The loss in bits per byte of text, comparable across tokenizers; nil if it is not a loss of
  /// text.
  package var bitsPerByte: Double?
  /// Number of tokens evaluated.
  package var tokens: Int
  /// Wall time, in seconds.
  package var seconds: Double
  /// Further metrics, in order of display.
  package var figures: [Figure]
  /// True when no earlier evaluation of the run was better.
  package var isBest: Bool

  /// A report of an evaluation after `step`.
  package init(
    step: Int, validationLoss: Double, bitsPerByte: Double? = nil, tokens: Int, seconds: Double,
    figures: [Figure] = [], isBest: Bool = false
  ) {
    self.step = step
    self.validationLoss = validationLoss
    self.bitsPerByte = bitsPerByte
    self.tokens = tokens
    self.seconds = seconds
    self.figures = figures
    self.isBest = isBest
  }
}
