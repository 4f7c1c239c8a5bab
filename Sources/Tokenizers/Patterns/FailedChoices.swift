/// The choices of a pattern that have failed in a text, so that none is tried twice.
///
/// Without captures, the match from an instruction and a position does not depend on the way there:
/// a choice that failed once fails again. Backtracking then tries at most as many choices as there
/// are instructions times positions, where `(a+)+$` would try exponentially many.
///
/// Ordinary patterns backtrack little: nothing is recorded before the number of choices is a multiple
/// of the length of the text.
struct FailedChoices {
  private struct Choice: Hashable {
    let instruction: Int
    let position: Int
  }

  /// Choices to take before recording begins.
  private var unrecorded: Int
  private var failed: Set<Choice> = []
  private var order: [Choice] = []

  /// A record for a text of `length` bytes.
  ///
  /// - Parameter unrecorded: Choices to take before recording begins; nil for a number that
  ///   published patterns do not reach.
  init(length: Int, unrecorded: Int? = nil) {
    self.unrecorded = unrecorded ?? 1024 + 16 * length
  }

  /// The number of recorded choices.
  var count: Int { order.count }

  /// Takes a choice and records it; returns false when it is known to fail.
  mutating func take(_ instruction: Int, _ position: Int) -> Bool {
    guard unrecorded == 0 else {
      unrecorded -= 1
      return true
    }
    let choice = Choice(instruction: instruction, position: position)
    guard failed.insert(choice).inserted else { return false }
    order.append(choice)
    return true
  }

  /// Forgets the choices after the first `count`, one of which led to a match.
  mutating func forget(after count: Int) {
    while order.count > count { failed.remove(order.removeLast()) }
  }
}
