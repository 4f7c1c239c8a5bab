import Tokenizers

/// Preference pairs encoded as examples for a reward model or for DPO.
///
/// In a batch, row 2i is a prompt with the chosen answer, and row 2i + 1 the same prompt with the
/// rejected one, both padded at their end. Targets in the answer, its end of turn included, have
/// weight 1. The last token of a row ends the answer.
package struct PairSet: RowSet {
  package static let rowsPerExample = 2

  /// The chosen sides: prompt and better answer, with the answer in the loss mask.
  package let chosen: EncodedExamples
  /// The rejected sides, in the same order.
  package let rejected: EncodedExamples
  /// The margin by which each chosen answer should lead; 0 when the record has none.
  package let margins: [Float]
  /// The counts of used and unused records; tokens are counted for both sides.
  package let statistics: ExampleStatistics
  /// The id that ends a turn.
  package let endOfTurn: TokenID
  /// The id that pads rows.
  package let padding: TokenID

  /// Encodes the pairs `records` with `chat`.
  ///
  /// A side may have as many tokens as the context, because its last token is an input too. Pairs with
  /// a longer side are left out and counted, even if `options.truncates`: a truncated answer is not the
  /// one that was judged. Throws `DatasetError.badRecord` for a record that is not a pair, or whose
  /// prompt leaves no room for an answer.
  package init(
    _ records: [LocatedRecord], chat: ChatEncoder, options: ExampleOptions
  ) throws(DatasetError) {
    var statistics = ExampleStatistics()
    var margins: [Float] = []
    let options = options.withoutTruncation
    let sides = try options.map(records, counting: &statistics) {
      record, statistics throws(RecordDefect) -> (EncodedExample, EncodedExample)? in
      guard case .pair(let pair) = record else {
        throw .otherKind(found: record.kind, wanted: "a preference pair")
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
    endOfTurn = chat.endOfTurn
    padding = chat.tokenizer.endOfText
  }

  package var count: Int { margins.count }

  /// Prepares `batch`: `lengths` has the number of tokens of each row, `margins` one number per pair.
  package func begin(_ batch: inout Batch) {
    batch.beginRows()
    batch.margins.append(contentsOf: repeatElement(0, count: batch.sequences / 2))
  }

  /// Fills `row` and the next one of `batch` with pair `index`, or with padding when `index` is nil.
  package func fill(_ batch: inout Batch, row: Int, with index: Int?) {
    batch.fill(row: row, with: index, of: chosen, padding: padding)
    batch.fill(row: row + 1, with: index, of: rejected, padding: padding)
    batch.margins[row / 2] = index.map { margins[$0] } ?? 0
  }
}

extension Batch {
  /// Prepares the batch for rows of one example each, with their lengths.
  mutating func beginRows() {
    lengths.append(contentsOf: repeatElement(0, count: sequences))
  }

  /// Fills `row` with example `index` followed by padding, or with padding alone when `index` is nil;
  /// its length is then 1, so that every row has a last token.
  mutating func fill(
    row: Int, with index: Int?, of examples: EncodedExamples, padding: TokenID
  ) {
    let end =
      index.map {
        examples.write($0, to: &self, row: row, at: 0, lastIsInput: true, padding: padding)
      } ?? 0
    pad(row: row, from: end, with: padding)
    lengths[row] = Int32(max(1, end))
  }
}
