/// What one evaluation found.
public struct EvaluationReport: Sendable, Equatable {
  /// The step after which the model was evaluated.
  public var step: Int
  /// Mean loss over the validation set: nats a token where the objective is a cross-entropy of tokens.
  public var validationLoss: Double
  /// The same loss in bits for each byte of the text, comparable across tokenizers; nil where the
  /// loss is not that of a text.
  public var bitsPerByte: Double?
  /// Tokens that were scored.
  public var tokens: Int
  /// Wall time, in seconds.
  public var seconds: Double
  /// Further figures, in order.
  public var figures: [Figure]
  /// Whether no evaluation of the run before was better.
  public var isBest: Bool

  /// A report of an evaluation after `step`.
  public init(
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
