/// The stages of a story, divided into sentences.
struct Plan: Sendable {
  var sentences: [[StoryStage]]

  /// The possible lengths of a story, in sentences.
  static let lengths = 3...8

  /// Returns all plans for a story, grouped by length; lengths without a plan are left out.
  ///
  /// The travel stage is optional, and so is the attempt when `attempt` is true.
  ///
  /// - Parameters:
  ///   - object: True when the story has an object.
  ///   - friend: True when the story has a companion.
  ///   - attempt: True when the story can have an attempt.
  ///   - symbols: The stages of each kind of sentence in the grammar.
  static func all(
    object: Bool, friend: Bool, attempt: Bool, in symbols: [[StoryStage]]
  ) -> [[Plan]] {
    var plans: [[Plan]] = Array(repeating: [], count: lengths.upperBound + 1)
    for hasTravel in [false, true] {
      for hasAttempt in attempt ? [false, true] : [false] {
        let stages = StoryStage.allCases.filter {
          switch $0 {
          case .possession: object
          case .meeting: friend
          case .travel: hasTravel
          case .attempt: hasAttempt
          default: true
          }
        }
        for cut in cuts(of: stages[...], into: symbols) where lengths.contains(cut.count) {
          plans[cut.count].append(Plan(sentences: cut))
        }
      }
    }
    return plans.filter { !$0.isEmpty }
  }

  private static func cuts(of stages: ArraySlice<StoryStage>, into symbols: [[StoryStage]])
    -> [[[StoryStage]]]
  {
    if stages.isEmpty { return [[]] }
    return symbols.filter { stages.starts(with: $0) }.flatMap { symbol in
      cuts(of: stages.dropFirst(symbol.count), into: symbols).map { [symbol] + $0 }
    }
  }
}
