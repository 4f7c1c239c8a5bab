/// Steps in a row whose batches a run does not learn from, and the reason.
///
/// The numbers of steps go on over them: the batch, the learning rate and the random numbers of a
/// step depend on its number alone, so that a run is repeated exactly when the same steps are
/// skipped. In JSON: `{"first": 101, "isFinite": false, "kind": "range", "last": 204, "reason": "…",
/// "rollbacks": 1}`.
package struct SkippedSteps: Codable, Sendable, Equatable {
  /// The way in which steps are skipped.
  package enum Kind: String, Codable, Sendable {
    /// One step that was prepared, as by sampling completions, and whose update was not applied.
    case step
    /// Whole iterations that were undone, or never computed.
    case range
  }

  /// The first step, from 1.
  package var first: Int
  /// The last step, at least `first`.
  package var last: Int
  package var kind: Kind
  /// The observation, as the part of a sentence.
  package var reason: String
  /// The rollbacks that these steps stand for.
  package var rollbacks = 0
  /// False when the loss or the gradient norm was not a finite number, so that the weights may be
  /// unsound.
  package var isFinite: Bool
  /// The loss that was observed; nil if it was not finite, or was not computed.
  package var loss: Double?
  /// The gradient norm that was observed; nil if it was not finite, or was not computed.
  package var gradientNorm: Double?

  /// Steps `first` to `last`.
  package init(
    _ first: Int, through last: Int, _ kind: Kind, reason: String, rollbacks: Int = 0,
    loss: Double? = nil, gradientNorm: Double? = nil
  ) {
    precondition(1...last ~= first, "skipped steps \(first) to \(last)")
    (self.first, self.last, self.kind) = (first, last, kind)
    (self.reason, self.rollbacks) = (reason, rollbacks)
    isFinite = loss?.isFinite != false && gradientNorm?.isFinite != false
    self.loss = loss?.isFinite == true ? loss : nil
    self.gradientNorm = gradientNorm?.isFinite == true ? gradientNorm : nil
  }

  /// The number of steps.
  package var count: Int { last - first + 1 }

  /// The steps as `guard.skipped` names them: `17`, or `101-204`.
  package var text: String { kind == .step ? "\(first)" : "\(first)-\(last)" }

  /// Returns true when `steps` are in order, without a common step, and begin at or before `step`.
  package static func areSound(_ steps: [SkippedSteps], at step: Int = .max) -> Bool {
    var end = 0
    for entry in steps {
      guard entry.first > end, entry.last >= entry.first, entry.last < 1 << 60,
        entry.kind == .range || entry.count == 1, 0...1 << 30 ~= entry.rollbacks
      else { return false }
      end = entry.last
    }
    return steps.last.map { $0.first <= step } ?? true
  }
}

/// The losses and gradient norms of the last trained steps, oldest first, with which `SpikeRule`
/// compares.
package struct SpikeWindow: Codable, Sendable, Equatable {
  package var losses: [Double]
  package var gradientNorms: [Double]

  package init(losses: [Double] = [], gradientNorms: [Double] = []) {
    (self.losses, self.gradientNorms) = (losses, gradientNorms)
  }
}
