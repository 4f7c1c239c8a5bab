/// Pairs for judging outside this program, one JSON object per line; ``AnswerFile`` reads the answers.
///
///     {"first":"…","pair":"0f3c…","prompt":"…","second":"…"}     in storage order
///     {"left":"…","pair":"0f3c…","prompt":"…","right":"…"}       as shown to an annotator
///
/// Texts are written as by ``PreferenceExport``. The sources of answers are not listed.
package enum PairListing {
  /// Returns all pairs of `store`, in storage order.
  package static func lines(of store: JudgementStore) throws -> [String] {
    try store.pairs().map { stored in
      let text = MessageText.form(of: stored.pair)
      return try JSONLine.text(
        of: Kept(
          pair: stored.id, prompt: text(stored.pair.prompt), first: text(stored.pair.first.answer),
          second: text(stored.pair.second.answer)))
    }
  }

  /// Returns the pairs that `annotator` has not judged, in the order and on the sides of that annotator.
  package static func lines(of store: JudgementStore, for annotator: String) throws -> [String] {
    let session = try AnnotationSession(store, annotator: annotator)
    return try session.remainingPairs().map { stored, left in
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
