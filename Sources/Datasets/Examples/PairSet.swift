import Tokenizers

/// Preference pairs as examples for a reward model or for DPO.
public struct PairSet: Sendable {
  /// The chosen sides: prompt and better answer, of which the answer is learned.
  public let chosen: EncodedExamples
  /// The rejected sides, in the same order.
  public let rejected: EncodedExamples
  /// By how much each chosen answer should lead; 0 where the data does not say.
  public let margins: [Float]
  /// What became of the records; tokens are those of both sides.
  public let statistics: ExampleStatistics
  /// The id that ends a turn.
  public let endOfTurn: TokenID
  /// The id that fills rows up.
  public let padding: TokenID

  /// The pairs `records` as `chat` writes them.
  ///
  /// A side may have as many tokens as the context, since the last is read too. Pairs with a longer
  /// side are left out and counted, whatever `options` say: an answer cut before its end is not the one
  /// that was judged. Throws `DatasetError.badRecord` for a record that is no pair, or whose prompt
  /// leaves no room for an answer.
  public init(
    _ records: [LocatedRecord], chat: ChatEncoder, options: ExampleOptions
  ) throws(DatasetError) {
    var statistics = ExampleStatistics()
    var margins: [Float] = []
    let options = options.withoutCuts
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
      let prompt = answers[0].isTrained.firstIndex(of: true) ?? longest
      let used = try options.used(
        longest, prompt: prompt, room: options.context, counting: &statistics)
      guard used != nil else { return nil }
      margins.append(Float(pair.margin ?? 0))
      return (answers[0], answers[1])
    }
    try options.requireExamples(statistics)
    chosen = EncodedExamples(sides.map(\.0))
    rejected = EncodedExamples(sides.map(\.1))
    self.margins = margins
    statistics.tokens = chosen.tokens + rejected.tokens
    statistics.trainedTokens = chosen.trainedTokens + rejected.trainedTokens
    self.statistics = statistics
    endOfTurn = chat.endOfTurn
    padding = chat.tokenizer.endOfText
  }

  /// How many pairs there are.
  public var count: Int { margins.count }

  /// Fills rows 2i and 2i + 1 of `batch` with pair `index`, or with padding when it is nil.
  func fill(_ batch: inout Batch, pair i: Int, with index: Int?) {
    for (row, examples) in [(2 * i, chosen), (2 * i + 1, rejected)] {
      batch.fill(row: row, with: index, of: examples, padding: padding)
    }
    batch.margins[i] = index.map { margins[$0] } ?? 0
  }
}

extension Batch {
  /// Makes ready for rows of one example each, with their lengths.
  mutating func beginRows() {
    forgetExamples()
    lengths.append(contentsOf: repeatElement(0, count: sequences))
  }

  /// Fills `row` with example `index` and padding behind it, or, when it is nil, with padding that
  /// counts as one token so that every row has a last one.
  mutating func fill(
    row: Int, with index: Int?, of examples: EncodedExamples, padding: TokenID
  ) {
    let end =
      index.map {
        examples.write($0, to: &self, row: row, at: 0, readsEnd: true, padding: padding)
      } ?? 0
    pad(row: row, from: end, with: padding)
    lengths[row] = Int32(max(1, end))
  }
}
