/// An error in a sentence or in a story as a whole.
package enum Clash: Equatable, Sendable {
  /// The story has this number of sentences, which is too few or too many.
  case length(Int)
  /// The text continues after the last full stop.
  case unfinished
  /// A word or mark outside the world's vocabulary.
  case unknownWord(String)
  /// No sentence of the world continues like this after these words.
  case notASentence(after: String)
  /// The words are known, but capitals, spaces, or *a* and *an* are wrong.
  case misspelled(expected: String)
  /// A stage follows one that it has to precede, or occurs a second time.
  case outOfOrder(StoryStage, after: StoryStage)
  /// The story has no sentence for the stage.
  case missingStage(StoryStage)
  /// The name or pronoun refers to no character that was introduced.
  case unknownCharacter(String)
  /// Two characters have the same name.
  case duplicateName(String)
  /// One character is named where only the other one is possible.
  case wrongCharacter(String, instead: String)
  /// The pronoun of a character changed.
  case pronoun(of: String, was: String, now: String)
  /// The value of a fact changed.
  case changed(String, was: String, now: String)
  /// A fact is used that was not stated before.
  case unstated(String, now: String)
  /// A thing does not fit its place, kind of character or weather.
  case misplaced(String, at: String)
  /// A value does not meet a requirement of the sentence.
  case unmetRequirement(String, needs: [String], excludes: [String])
  /// The sentence belongs to a different problem.
  case differentProblem(StoryStage, was: Problem, now: Problem)
  /// The sentence contradicts the outcomes that are still possible.
  case differentOutcome(StoryStage, was: [Outcome], now: [Outcome])
}

/// A clash with its position.
package struct Contradiction: Equatable, Sendable, CustomStringConvertible {
  /// Number of the sentence, counted from 1; nil for the story as a whole.
  package var sentence: Int?
  package var clash: Clash

  /// One line with the position and the clash.
  package var description: String {
    (sentence.map { "sentence \($0): " } ?? "the story: ") + clash.description
  }
}

extension Clash: CustomStringConvertible {
  /// The clash in words, without its position.
  package var description: String {
    switch self {
    case .length(let count):
      "it has \(count > 8 ? "more than 8" : "\(count)") sentences, a story has 3 to 8"
    case .unfinished: "it stops before its full stop"
    case .unknownWord(let word): "the world has no word '\(word)'"
    case .notASentence(let words):
      words.isEmpty
        ? "no sentence of the world begins like this"
        : "no sentence of the world continues like this after '\(words)'"
    case .misspelled(let expected): "it should be written '\(expected)'"
    case .outOfOrder(let stage, let last): "the \(stage) comes after the \(last)"
    case .missingStage(let stage): "it has no \(stage)"
    case .unknownCharacter(let name): "'\(name)' refers to no character introduced before"
    case .duplicateName(let name): "both characters are named \(name)"
    case .wrongCharacter(let name, let other): "\(name) is named where only \(other) is possible"
    case .pronoun(let name, let was, let now):
      "the pronoun of \(name) was '\(was)' and is now '\(now)'"
    case .changed(let fact, let was, let now): "the \(fact) was '\(was)' and is now '\(now)'"
    case .unstated(let fact, let now): "the \(fact) is '\(now)', but none was stated before"
    case .misplaced(let thing, let setting): "'\(thing)' does not fit '\(setting)'"
    case .unmetRequirement(let subject, let needs, let excludes):
      needs.isEmpty
        ? "'\(subject)' has a property that is excluded here: \(excludes.joined(separator: ", "))"
        : "'\(subject)' lacks a property that is needed here: \(needs.joined(separator: " or "))"
    case .differentProblem(let stage, let was, let now):
      "the \(stage) belongs to the problem '\(now)', but the story's problem is '\(was)'"
    case .differentOutcome(let stage, let was, let now):
      "the \(stage) fits the outcome '\(Self.list(now))', but the story's is '\(Self.list(was))'"
    }
  }

  private static func list(_ outcomes: [Outcome]) -> String {
    outcomes.map(\.rawValue).joined(separator: " or ")
  }
}
