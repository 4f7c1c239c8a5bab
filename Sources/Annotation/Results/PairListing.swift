/// Pairs for somebody who judges them elsewhere, a JSON object a line; ``AnswerFile`` takes the answers.
///
///     {"first":"…","pair":"0f3c…","prompt":"…","second":"…"}     in the order in which they are kept
///     {"left":"…","pair":"0f3c…","prompt":"…","right":"…"}       as an annotator is shown them
///
/// Texts are written as by ``PreferenceExport``. Nothing says where an answer comes from.
public enum PairListing {
  /// All pairs of `store`, in the order in which they are kept.
  public static func lines(of store: JudgementStore) throws -> [String] {
    try store.pairs().map { stored in
      let text = MessageText.form(of: stored.pair)
      return try JSONLine.text(
        of: Kept(
          pair: stored.id, prompt: text(stored.pair.prompt), first: text(stored.pair.first.answer),
          second: text(stored.pair.second.answer)))
    }
  }

  /// The pairs that `annotator` has not judged, in their order and on their sides.
  public static func lines(of store: JudgementStore, for annotator: String) throws -> [String] {
    let session = try AnnotationSession(store, annotator: annotator)
    return try session.all().map { stored, left in
      let text = MessageText.form(of: stored.pair)
      return try JSONLine.text(
        of: Shown(
          pair: stored.id, prompt: text(stored.pair.prompt),
          left: text(stored.pair[left].answer), right: text(stored.pair[left.other].answer)))
    }
  }

  private struct Kept: Encodable {
    let pair: String
    let prompt, first, second: MessageText
  }

  private struct Shown: Encodable {
    let pair: String
    let prompt, left, right: MessageText
  }
}
