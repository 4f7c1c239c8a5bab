/// An error in judgements, in the file that stores them, or of the disk.
package enum AnnotationError: Error, Equatable, Sendable {
  // The file.

  /// A path to read that does not exist.
  case missing(path: String)
  /// A file that is not an SQLite database, or is damaged.
  case notADatabase(path: String, reason: String)
  /// A database that another program made.
  case otherProgram(path: String)
  /// A database of a later release.
  case newerSchema(path: String, found: String, known: String)
  /// A database created with another seed.
  case otherSeed(path: String, found: UInt64, given: UInt64)
  /// A database that another process keeps locked.
  case locked(path: String, seconds: Int)
  /// A failure of the disk.
  case storage(path: String, reason: String, isFull: Bool)

  // The pairs and judgements.

  /// An invalid annotator name.
  case badAnnotator(String)
  /// An id without a pair.
  case unknownPair(path: String, id: String)
  /// A score that is not finite.
  case badScore(pair: String, score: Double)
  /// Unusable lines in a file of answers; `AnswerFile.faults` has a sentence for each.
  case badAnswers(path: String, count: Int)
  /// A file of answers that cannot be opened.
  case unreadable(path: String)
}

extension AnnotationError: CustomStringConvertible {
  /// The error in one sentence: what, where, why, what to do.
  package var description: String {
    switch self {
    case .missing(let path):
      "there is no file \(path); correct the path, or create one with apus annotate \(path) --pairs "
        + "FILE"
    case .notADatabase(let path, let reason):
      "\(path) is not a file of judgements (\(reason)); name a file of apus annotate, or a new one"
    case .otherProgram(let path):
      "\(path) is the database of another program; name a file of apus annotate, or a new one"
    case .newerSchema(let path, let found, let known):
      "\(path) was written by a later release of apus (schema \(found), and this release reads up to "
        + "\(known)); use that release"
    case .otherSeed(let path, let found, let given):
      "\(path) was created with the seed \(found), which determines order and sides, not \(given); "
        + "leave --seed out, or create another file"
    case .locked(let path, let seconds):
      "\(path) was locked by another process for \(seconds) s; run the same command again when that "
        + "process has ended"
    case .storage(let path, let reason, let isFull):
      "cannot write or read \(path): \(reason); "
        + (isFull ? "free some space there" : "check the disk and the permissions of its folder")
    case .badAnnotator(let name):
      "\(Self.quoted(name)) cannot be an annotator's name; give 1 to \(AnnotatorName.longest) "
        + "characters without spaces around them and without control characters"
    case .unknownPair(let path, let id):
      "there is no pair \"\(id)\" in \(path); list its pairs with apus annotate pairs \(path)"
    case .badScore(let pair, let score):
      "the reward model scores an answer of pair \(pair) \(score), which is not a finite number; check "
        + "the model"
    case .badAnswers(let path, let count):
      "\(path) has \(count == 1 ? "a line" : "\(count) lines") that cannot be used, so no line was "
        + "imported; correct that, or leave it out with --skip-bad"
    case .unreadable(let path):
      "cannot read \(path); correct the path, or its permissions"
    }
  }

  private static func quoted(_ name: String) -> String {
    "\"" + WrappedText.lines(of: String(name.prefix(80)), columns: 400)[0] + "\""
  }
}
