import Tokenizers

/// A function that scores an answer to a prompt, such as a reward model; higher is better.
package typealias AnswerScorer = (_ prompt: [Message], _ answer: [Message]) throws -> Double

/// The session of one annotator: selects the next pair and stores the answers.
///
/// The answers are shown left and right, without their sources.
package struct AnnotationSession {
  /// A pair as it is shown to the annotator.
  package struct Question: Sendable, Hashable {
    /// The pair's `id`.
    package let pair: String
    /// The prompt of both answers.
    package let prompt: [Message]
    /// The answer on the left.
    package let left: [Message]
    /// The answer on the right.
    package let right: [Message]
    /// The number of pairs that the annotator has judged.
    package let judged: Int
    /// The number of all pairs.
    package let pairs: Int

    let leftPlace: Place
  }

  /// An annotator's answer.
  package enum Answer: String, Sendable, Hashable, CaseIterable {
    /// The left answer is better.
    case left
    /// The right answer is better.
    case right
    /// Neither is better.
    case tie
    /// Neither is of use.
    case bothBad
    /// No judgement.
    case skip
  }

  private let store: JudgementStore
  private let annotator: String
  private let scorer: AnswerScorer?
  private let presentation: Presentation
  /// The ids of the remaining pairs, the next one last.
  private var queue: [String] = []
  /// The number of judgements given in this session, without those undone in it.
  package private(set) var given = 0

  /// Starts or resumes the session of `annotator`.
  ///
  /// - Parameter scorer: When given, pairs are ordered by the gap between the scores of their answers,
  ///   least first: the scorer would learn most from these. It scores every remaining pair at the start.
  /// - Throws: ``AnnotationError``, or the scorer's error.
  package init(
    _ store: JudgementStore, annotator: String, scorer: AnswerScorer? = nil
  ) throws {
    try AnnotatorName.check(annotator)
    self.store = store
    self.annotator = annotator
    self.scorer = scorer
    presentation = Presentation(seed: store.seed, annotator: annotator)
    try fill()
  }

  /// Returns the pair to judge now; nil when all are judged.
  package mutating func question() throws -> Question? {
    // Other processes may have added pairs.
    if queue.isEmpty { try fill() }
    guard let id = queue.last, let stored = try store.pair(id) else { return nil }
    let pairs = try store.pairCount()
    let left = presentation.left(ofPair: stored.number)
    return Question(
      pair: id, prompt: stored.pair.prompt, left: stored.pair[left].answer,
      right: stored.pair[left.other].answer, judged: pairs - queue.count, pairs: pairs,
      leftPlace: left)
  }

  /// Stores `answer` to `question`; returns false when another process has stored an answer of this
  /// annotator.
  ///
  /// When this returns, the judgement is durable.
  package mutating func give(
    _ answer: Answer, to question: Question, note: String? = nil
  ) throws -> Bool {
    let verdict: Verdict =
      switch answer {
      case .left: .init(better: question.leftPlace)
      case .right: .init(better: question.leftPlace.other)
      case .tie: .tie
      case .bothBad: .bothBad
      case .skip: .skip
      }
    let isKept = try store.keep(
      Judgement(
        pair: question.pair, annotator: annotator, verdict: verdict, left: question.leftPlace,
        note: note))
    queue.removeAll { $0 == question.pair }
    if isKept { given += 1 }
    return isKept
  }

  /// Withdraws the annotator's newest judgement, of this session or an earlier one, and makes its pair
  /// the next; returns false when there is none.
  package mutating func undo() throws -> Bool {
    guard let judgement = try store.withdrawLast(of: annotator) else { return false }
    given = max(0, given - 1)
    queue.append(judgement.pair)
    return true
  }

  /// Returns the remaining pairs in order, each with the place of its left answer.
  func remainingPairs() throws -> [(pair: StoredPair, left: Place)] {
    try queue.reversed().compactMap { id in
      try store.pair(id).map { ($0, presentation.left(ofPair: $0.number)) }
    }
  }

  /// The number of remaining pairs.
  package var remaining: Int { queue.count }

  private mutating func fill() throws {
    let ids = try store.idsToJudge(by: annotator)
    let order = try ids.map { id in
      (scoreGap: try scoreGap(ofPair: id), sortKey: presentation.sortKey(ofPair: id), id: id)
    }
    queue = order.sorted { $0 > $1 }.map(\.id)
  }

  /// Returns the absolute difference of the scores of the pair's answers; 0 without a scorer.
  private func scoreGap(ofPair id: String) throws -> Double {
    guard let scorer, let pair = try store.pair(id)?.pair else { return 0 }
    let scores = try [pair.first, pair.second].map { candidate in
      let score = try scorer(pair.prompt, candidate.answer)
      guard score.isFinite else { throw AnnotationError.badScore(pair: id, score: score) }
      return score
    }
    return abs(scores[0] - scores[1])
  }
}
