/// What can be wrong with judgements, with the file that keeps them, or with the disk.
public enum AnnotationError: Error, Equatable, Sendable {
  // The file.

  /// A path that leads nowhere, where something is to be read.
  case missing(path: String)
  /// A file that is no SQLite database, or a damaged one.
  case notADatabase(path: String, reason: String)
  /// A database that another program made.
  case otherProgram(path: String)
  /// A database of a later release.
  case newerSchema(path: String, found: String, known: String)
  /// A database begun with another seed.
  case otherSeed(path: String, found: UInt64, given: UInt64)
  /// Another process kept the database locked.
  case locked(path: String, seconds: Int)
  /// The disk failed.
  case storage(path: String, reason: String, isFull: Bool)

  // What is judged.

  /// A name that cannot be an annotator's.
  case badAnnotator(String)
  /// The id of no pair.
  case unknownPair(path: String, id: String)
  /// A pair whose answers are the same.
  case equalAnswers(place: String)
  /// A score that is not a number.
  case badScore(pair: String, score: Double)
  /// Lines of a file of answers that cannot be used; each has its sentence as a fault.
  case badAnswers(path: String, count: Int)
  /// A file of answers that cannot be opened.
  case unreadable(path: String)

  /// Whether the disk failed, not the input: exit code 5 instead of 2.
  public var isStorageFailure: Bool {
    if case .storage = self { true } else { false }
  }

  /// Whether the same command may well succeed a little later: exit code 75.
  public var isPassing: Bool {
    if case .locked = self { true } else { false }
  }
}

extension AnnotationError: CustomStringConvertible {
  /// The error in one sentence: what, where, why, and what to do.
  public var description: String {
    switch self {
    case .missing(let path):
      "there is no file \(path); correct the path, or begin one with apus annotate \(path) --pairs "
        + "FILE"
    case .notADatabase(let path, let reason):
      "\(path) is not a file of judgements (\(reason)); name one that apus annotate made, or a new one"
    case .otherProgram(let path):
      "\(path) is the database of another program; name a file that apus annotate made, or a new one"
    case .newerSchema(let path, let found, let known):
      "\(path) was written by a later release of apus (schema \(found), known here up to \(known)); "
        + "use that release"
    case .otherSeed(let path, let found, let given):
      "\(path) was begun with the seed \(found), from which order and sides follow, not \(given); "
        + "leave --seed out, or begin another file"
    case .locked(let path, let seconds):
      "\(path) was locked by another process for \(seconds) s; run the same command again when that "
        + "one has ended"
    case .storage(let path, let reason, let isFull):
      "cannot write or read \(path): \(reason); "
        + (isFull ? "free some space there" : "check the disk and the permissions of its folder")
    case .badAnnotator(let name):
      "\(Self.quoted(name)) cannot be an annotator's name; give 1 to \(AnnotatorName.longest) "
        + "characters without spaces around them and without control characters"
    case .unknownPair(let path, let id):
      "there is no pair \"\(id)\" in \(path); apus annotate pairs \(path) lists those that are there"
    case .equalAnswers(let place):
      "\(place) has two equal answers, of which nobody can choose one; take it out"
    case .badScore(let pair, let score):
      "the scorer gives an answer of pair \(pair) the score \(score), which is no number to choose "
        + "pairs by; check the reward model"
    case .badAnswers(let path, let count):
      "\(path) has \(count == 1 ? "a line" : "\(count) lines") that cannot be used, so none of it was "
        + "taken; correct that, or leave it out with --skip-bad"
    case .unreadable(let path):
      "cannot read \(path); correct the path, or its permissions"
    }
  }

  private static func quoted(_ name: String) -> String {
    "\"" + WrappedText.lines(of: String(name.prefix(80)), columns: 400)[0] + "\""
  }
}
