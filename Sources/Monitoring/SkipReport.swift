/// Steps that a run passes over without computing them, because it has undone them or its
/// configuration or record says so.
package struct SkipReport: Sendable, Equatable {
  /// The first step, from 1.
  package var first: Int
  /// The last step.
  package var last: Int
  /// The reason, as the part of a sentence.
  package var reason: String
  /// The loss that was the reason; nil if unknown or not finite.
  package var loss: Double?
  /// The gradient norm beside that loss; nil if unknown or not finite.
  package var gradientNorm: Double?

  package init(
    first: Int, last: Int, reason: String, loss: Double? = nil, gradientNorm: Double? = nil
  ) {
    (self.first, self.last, self.reason) = (first, last, reason)
    (self.loss, self.gradientNorm) = (loss, gradientNorm)
  }
}
