import Tokenizers

/// A reward model, as far as choosing pairs needs it: how good an answer to a prompt is.
public typealias AnswerScorer = (_ prompt: [Message], _ answer: [Message]) throws -> Double

/// One annotator at work: which pair comes next, and what was said of it.
///
/// The answers stand left and right, and nothing here says where they come from.
public struct AnnotationSession {
  /// A pair as it is shown.
  public struct Question: Sendable, Hashable {
    /// The pair's `id`.
    public let pair: String
    /// What both answer.
    public let prompt: [Message]
    /// The answer on the left.
    public let left: [Message]
    /// The answer on the right.
    public let right: [Message]
    /// How many pairs the annotator has judged.
    public let judged: Int
    /// How many pairs there are.
    public let pairs: Int

    let leftPlace: Place
  }

  /// What an annotator can say.
  public enum Answer: String, Sendable, Hashable, CaseIterable {
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
  /// Ids of the pairs to come, the next one last.
  private var queue: [String] = []
  /// Judgements given in this session, without those taken back in it.
  public private(set) var given = 0

  /// The session of `annotator`, who goes on where they stopped.
  ///
  /// - Parameter scorer: When given, the pairs on whose answers it differs least come first: those
  ///   from which the scorer would learn most. It scores every pair to come at the start.
  /// - Throws: ``AnnotationError``, or what the scorer throws.
  public init(
    _ store: JudgementStore, annotator: String, scorer: AnswerScorer? = nil
  ) throws {
    try AnnotatorName.check(annotator)
    self.store = store
    self.annotator = annotator
    self.scorer = scorer
    presentation = Presentation(seed: store.seed, annotator: annotator)
    try fill()
  }

  /// The pair to judge now; nil when all are judged.
  public mutating func question() throws -> Question? {
    // Other processes may have added some.
    if queue.isEmpty { try fill() }
    guard let id = queue.last, let stored = try store.pair(id) else { return nil }
    let pairs = try store.pairCount()
    let left = presentation.left(ofPair: stored.number)
    return Question(
      pair: id, prompt: stored.pair.prompt, left: stored.pair[left].answer,
      right: stored.pair[left.other].answer, judged: pairs - queue.count, pairs: pairs,
      leftPlace: left)
  }

  /// Keeps `answer` to `question`; false when another process has kept one of this annotator.
  ///
  /// When this returns, the judgement is on the disk.
  public mutating func give(
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

  /// Takes the annotator's newest judgement back, of this session or an earlier one, and has its pair
  /// come next; false when there is none.
  public mutating func undo() throws -> Bool {
    guard let judgement = try store.withdrawLast(of: annotator) else { return false }
    given = max(0, given - 1)
    queue.append(judgement.pair)
    return true
  }

  /// The pairs to come, each with the answer on its left.
  func all() throws -> [(pair: StoredPair, left: Place)] {
    try queue.reversed().compactMap { id in
      try store.pair(id).map { ($0, presentation.left(ofPair: $0.number)) }
    }
  }

  /// How many pairs are to come.
  public var remaining: Int { queue.count }

  private mutating func fill() throws {
    let ids = try store.idsToJudge(by: annotator)
    let order = try ids.map { id in
      (distance: try distance(ofPair: id), rank: presentation.rank(ofPair: id), id: id)
    }
    queue = order.sorted { $0 > $1 }.map(\.id)
  }

  /// How far the scorer holds the pair's answers apart; the same for all without a scorer.
  private func distance(ofPair id: String) throws -> Double {
    guard let scorer, let pair = try store.pair(id)?.pair else { return 0 }
    let scores = try [pair.first, pair.second].map { candidate in
      let score = try scorer(pair.prompt, candidate.answer)
      guard score.isFinite else { throw AnnotationError.badScore(pair: id, score: score) }
      return score
    }
    return abs(scores[0] - scores[1])
  }
}
