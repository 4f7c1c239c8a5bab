/// What is wrong with a sentence, or with a story as a whole.
public enum Clash: Equatable, Sendable {
  /// The story has this many sentences.
  case length(Int)
  /// The text goes on after the last full stop.
  case unfinished
  /// A word or mark that the world does not have.
  case unknownWord(String)
  /// No sentence of the world goes on like this after these words.
  case notASentence(after: String)
  /// The words are known, but written otherwise: capitals, spaces, *a* or *an*.
  case misspelled(expected: String)
  /// A stage comes after one that it has to precede, or a second time.
  case outOfOrder(Stage, after: Stage)
  /// The story never tells the stage.
  case untold(Stage)
  /// Someone of this name was never introduced.
  case stranger(String)
  /// Two characters have the same name.
  case namesake(String)
  /// One character stands where only the other can.
  case wrongCharacter(String, instead: String)
  /// The character has one pronoun, and here the other.
  case pronoun(of: String, was: String, now: String)
  /// A fact had one value, and here another.
  case changed(String, was: String, now: String)
  /// A fact is used that was never stated.
  case unstated(String, now: String)
  /// A thing does not belong to where or to whom it is said to belong.
  case misplaced(String, at: String)
  /// Someone or something is not as the sentence needs it.
  case unable(String, needs: [String], excludes: [String])
  /// What is told belongs to another problem.
  case otherProblem(Stage, was: Problem, now: Problem)
  /// What is told contradicts what came of the problem.
  case otherOutcome(Stage, was: [Outcome], now: [Outcome])
}

/// A clash and the sentence in which it shows.
public struct Contradiction: Equatable, Sendable, CustomStringConvertible {
  /// The number of the sentence, from 1; nil where it is the story as a whole.
  public var sentence: Int?
  /// What is wrong.
  public var clash: Clash

  /// One line that says where and what.
  public var description: String {
    (sentence.map { "sentence \($0): " } ?? "the story: ") + clash.description
  }
}

extension Clash: CustomStringConvertible {
  /// The clash in words, without its place.
  public var description: String {
    switch self {
    case .length(let count):
      "it has \(count > 8 ? "more than 8" : "\(count)") sentences, a story has 3 to 8"
    case .unfinished: "it stops before its full stop"
    case .unknownWord(let word): "the world has no word '\(word)'"
    case .notASentence(let words):
      words.isEmpty ? "no sentence begins so" : "no sentence goes on so after '\(words)'"
    case .misspelled(let expected): "it should be written '\(expected)'"
    case .outOfOrder(let stage, let last): "the \(stage) comes after the \(last)"
    case .untold(let stage): "it tells no \(stage)"
    case .stranger(let name): "nobody named \(name) has been introduced"
    case .namesake(let name): "there is a \(name) already"
    case .wrongCharacter(let name, let other): "\(name) stands where it has to be \(other)"
    case .pronoun(let name, let was, let now): "\(name) is '\(was)', here '\(now)'"
    case .changed(let fact, let was, let now): "the \(fact) was '\(was)', now '\(now)'"
    case .unstated(let fact, let now): "the \(fact) is '\(now)', but none was stated before"
    case .misplaced(let thing, let setting): "'\(thing)' does not go with '\(setting)'"
    case .unable(let subject, let needs, let excludes):
      needs.isEmpty
        ? "'\(subject)' is one with: \(excludes.joined(separator: ", ")); that cannot be here"
        : "'\(subject)' is none with: \(needs.joined(separator: " or "))"
    case .otherProblem(let stage, let was, let now):
      "the \(stage) belongs to the problem '\(now)', the story's is '\(was)'"
    case .otherOutcome(let stage, let was, let now):
      "the \(stage) tells '\(Self.list(now))', but it came out '\(Self.list(was))'"
    }
  }

  private static func list(_ outcomes: [Outcome]) -> String {
    outcomes.map(\.rawValue).joined(separator: " or ")
  }
}
