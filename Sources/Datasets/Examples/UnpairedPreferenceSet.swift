import Tokenizers

/// Answers that are called good or bad, encoded as examples for KTO.
///
/// A batch of n answers has 2n examples: first every prompt with its own answer, then every prompt with
/// the answer before it in the batch, the first with the last one, as TRL pairs them. Targets in the
/// answer, its end of turn included, have weight 1. `Batch.labels` has 1 for a good answer and 0 for a
/// bad one.
package struct UnpairedPreferenceSet: BatchableSet {
  package static let textsPerExample = 2

  /// The prompts with their answers, which are in the loss mask.
  package let answers: EncodedExamples
  /// True for each good answer.
  package let isDesirable: [Bool]
  /// The counts of used and unused records.
  package let statistics: ExampleStatistics
  /// The padding id.
  package let padding: TokenID
  private let context: Int

  /// Encodes the answers with a label `records` with `chat`.
  ///
  /// An example may have as many tokens as the context; longer ones are left out and counted, even if
  /// `options.truncates`. Throws `DatasetError.badRecord` for a record of another kind, or whose prompt
  /// leaves no room for an answer.
  package init(
    _ records: [LocatedRecord], chat: ChatEncoder, options: ExampleOptions
  ) throws(DatasetError) {
    var statistics = ExampleStatistics(learned: "in the answers")
    let options = options.withoutTruncation
    let made = try options.map(records, of: chat, counting: &statistics) {
      record, statistics throws(RecordDefect) -> (EncodedExample, Bool)? in
      guard case .unpaired(let preference) = record else {
        throw .otherKind(found: record.kind, wanted: "an answer with a label, good or bad,")
      }
      let example = try chat.example(preference.answer, to: preference.prompt)
      let prompt = example.lossMask.firstIndex(of: true) ?? example.ids.count
      let used = try options.usableLength(
        example.ids.count, prompt: prompt, limit: options.context, counting: &statistics)
      return used.map { _ in (example, preference.isDesirable) }
    }
    try options.requireExamples(statistics)
    answers = EncodedExamples(made.map(\.0))
    isDesirable = made.map(\.1)
    statistics.tokens = answers.tokens
    statistics.lossTokens = answers.lossTokens
    self.statistics = statistics
    padding = chat.tokenizer.endOfText
    context = options.context
  }

  package var count: Int { isDesirable.count }

  /// Fills `batch` with the answers `indices` and the mismatched ones.
  package func fill(_ batch: inout Batch, with indices: [Int]) {
    let others = Array(indices.suffix(1)) + indices.dropLast()
    let mismatched = EncodedExamples(zip(indices, others).map { answer(to: $0, of: $1) })
    let lengths =
      indices.map(answers.length) + indices.indices.map(mismatched.length)
    batch.begin(examples: lengths, padding: padding)
    for (place, index) in indices.enumerated() {
      answers.write(
        index, to: &batch, at: batch.examples[place].lowerBound, lastIsInput: true)
      mismatched.write(
        place, to: &batch, at: batch.examples[indices.count + place].lowerBound, lastIsInput: true)
    }
    batch.labels.append(contentsOf: indices.map { isDesirable[$0] ? 1 : 0 })
  }

  /// Returns the prompt of example `index` with the answer of example `other`, cut to the context.
  private func answer(to index: Int, of other: Int) -> EncodedExample {
    let (own, other) = (answers[index], answers[other])
    let prompt = own.lossMask.firstIndex(of: true) ?? own.ids.count
    let start = other.lossMask.firstIndex(of: true) ?? other.ids.count
    let whole = EncodedExample(
      ids: Array(own.ids[..<prompt]) + other.ids[start...],
      lossMask: Array(own.lossMask[..<prompt]) + other.lossMask[start...])
    return whole.prefix(min(whole.ids.count, context))
  }
}

extension Batch {
  /// Returns a batch of the examples `range` of this one, with their weights and no labels.
  package func part(_ range: Range<Int>) -> Batch {
    var part = Batch()
    part.begin(examples: examples[range].map(\.count), padding: 0)
    for (place, own) in zip(part.examples, examples[range]) {
      part.inputs.replaceSubrange(place, with: inputs[own])
      part.targets.replaceSubrange(place, with: targets[own])
      part.weights.replaceSubrange(place, with: weights[own])
    }
    return part
  }
}
