import Tokenizers

/// Preference pairs encoded as examples for a reward model or for DPO.
///
/// In a batch, example 2i is a prompt with the chosen answer, and example 2i + 1 the same prompt with
/// the rejected one. Targets in the answer, its end of turn included, have weight 1.
package struct PairSet: BatchableSet {
  package static let textsPerExample = 2

  /// The chosen sides: prompt and better answer, with the answer in the loss mask.
  package private(set) var chosen: EncodedExamples
  /// The rejected sides, in the same order.
  package private(set) var rejected: EncodedExamples
  /// The margin by which each chosen answer should lead; 0 when the record has none.
  package let margins: [Float]
  /// The counts of used and unused records; tokens are counted for both sides.
  package let statistics: ExampleStatistics
  /// The padding id.
  package let padding: TokenID

  /// Encodes the pairs `records` with `chat`.
  ///
  /// A side may have as many tokens as the context, because its last token is an input too. Pairs with
  /// a longer side are left out and counted, even if `options.truncates`: a truncated answer is not the
  /// one that was judged. Throws `DatasetError.badRecord` for a record that is not a pair, whose prompt
  /// leaves no room for an answer, or that has a margin unless `usesMargins`.
  package init(
    _ records: [LocatedRecord], chat: ChatEncoder, options: ExampleOptions,
    usesMargins: Bool = true
  ) throws(DatasetError) {
    var statistics = ExampleStatistics(of: "pair", learned: "in the answers")
    var margins: [Float] = []
    let options = options.withoutTruncation
    let sides = try options.map(records, of: chat, counting: &statistics) {
      record, statistics throws(RecordDefect) -> (EncodedExample, EncodedExample)? in
      guard case .pair(let pair) = record else {
        throw .otherKind(found: record.kind, wanted: "a preference pair")
      }
      guard usesMargins || pair.margin ?? 0 == 0 else {
        throw .unusedField(
          "margin", form: "preference optimization",
          remedy: "train a reward model, or name it in data.ignoredFields")
      }
      let answers = [
        try chat.example(pair.chosen, to: pair.prompt),
        try chat.example(pair.rejected, to: pair.prompt),
      ]
      let longest = answers.map(\.ids.count).max() ?? 0
      let prompt = answers[0].lossMask.firstIndex(of: true) ?? longest
      let used = try options.usableLength(
        longest, prompt: prompt, limit: options.context, counting: &statistics)
      guard used != nil else { return nil }
      margins.append(Float(pair.margin ?? 0))
      return (answers[0], answers[1])
    }
    try options.requireExamples(statistics)
    chosen = EncodedExamples(sides.map(\.0))
    rejected = EncodedExamples(sides.map(\.1))
    self.margins = margins
    statistics.tokens = chosen.tokens + rejected.tokens
    statistics.lossTokens = chosen.lossTokens + rejected.lossTokens
    self.statistics = statistics
    padding = chat.tokenizer.endOfText
  }

  package var count: Int { margins.count }

  /// Fills `batch` with the pairs `indices`, two examples each; `margins` has one number per pair.
  package func fill(_ batch: inout Batch, with indices: [Int]) {
    let sides = indices.flatMap { [(chosen, $0), (rejected, $0)] }
    batch.begin(examples: sides.map { $0.length(of: $1) }, padding: padding)
    for (place, (examples, index)) in zip(batch.examples, sides) {
      examples.write(index, to: &batch, at: place.lowerBound, lastIsInput: true)
    }
    batch.margins.append(contentsOf: indices.map { margins[$0] })
  }

  /// The pairs with their sides exchanged.
  package var swapped: PairSet {
    var pairs = self
    (pairs.chosen, pairs.rejected) = (rejected, chosen)
    return pairs
  }
}
