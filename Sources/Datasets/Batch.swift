import Tokenizers

/// What one forward pass sees.
///
/// B sequences, T context; every array is B×T, row-major.
public struct Batch: Sendable, Equatable {
  /// Sequences, B.
  public let sequences: Int
  /// Tokens in each, T.
  public let context: Int
  /// The ids that the model is given.
  public var inputs: [TokenID]
  /// The ids that it shall predict.
  public var targets: [TokenID]
  /// 1 where a target counts, 0 where it is ignored.
  public var weights: [Float]

  /// A batch of zeros for a loader to fill, again and again, without allocating.
  public init(sequences: Int, context: Int) {
    precondition(
      sequences >= 1 && context >= 1, "a batch of \(sequences) sequences of \(context) tokens")
    self.sequences = sequences
    self.context = context
    inputs = [TokenID](repeating: 0, count: sequences * context)
    targets = inputs
    weights = [Float](repeating: 0, count: sequences * context)
  }

  /// The programmer's check that a batch is of the loader's shape.
  func requireShape(sequences: Int, context: Int) {
    precondition(
      self.sequences == sequences && self.context == context,
      "a batch of \(self.sequences)×\(self.context) given to a loader of \(sequences)×\(context)")
  }
}
