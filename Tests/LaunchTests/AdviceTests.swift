import Testing

@testable import Launch

@Suite struct AdviceTests {
  private func answer(
    _ objective: AdviceQuestion.Objective, _ examples: Int, hours: Double? = nil,
    flops: Double = 2e11, memory: Int = 16 << 30
  ) -> Recommendation {
    Recommendation(
      for: AdviceQuestion(
        objective, examples: examples, deadline: hours.map { $0 * 3600 }, flopsPerSecond: flops,
        memory: memory))
  }

  /// The table has one rule for every number of examples, each with reason and source.
  @Test(arguments: AdviceQuestion.Objective.allCases)
  func everyQuestionHasOneRule(objective: AdviceQuestion.Objective) {
    let rules = AdviceRule.all.filter { $0.objective == objective }
    #expect(rules.first?.examples.lowerBound == 0 && rules.last?.examples.upperBound == .max)
    for (rule, next) in zip(rules, rules.dropFirst()) {
      #expect(rule.examples.upperBound == next.examples.lowerBound)
    }
    for rule in rules {
      #expect(!rule.reason.isEmpty && rule.source.contains(/20[0-2][0-9]/))
      #expect((rule.epochs == 0) == (rule.start == .asItIs))
      let sizes = CandidateModel.all.filter { $0.family == rule.family }
      #expect(sizes.contains { $0.parameters <= rule.largest })
    }
  }

  @Test func sizesAreInOrder() {
    for family in CandidateModel.Family.allCases {
      let sizes = CandidateModel.all.filter { $0.family == family }.map(\.parameters)
      #expect(sizes == sizes.sorted() && !sizes.isEmpty)
    }
  }

  @Test func fewExamplesNeedNoTraining() {
    for objective in AdviceQuestion.Objective.allCases {
      let answer = answer(objective, 10)
      #expect(answer.start == .asItIs && answer.seconds == 0)
      #expect(answer.reasons.last?.contains("out of the question") == true)
    }
  }

  @Test func theAnswerFollowsTheExamples() {
    #expect(answer(.classify, 500).start == .fineTune)
    #expect(answer(.classify, 500).model.names == "bert-base-uncased")
    #expect(answer(.classify, 5000).model.names == "bert-large-uncased")
    #expect(answer(.classify, 1_000_000).start == .continuePretraining)
    #expect(answer(.transform, 2000).start == .adapt)
    #expect(answer(.generate, 300).start == .adapt)
    #expect(answer(.extract, 300).model.family == .encoder)
    #expect(answer(.embed, 5000).start == .asItIs)
  }

  /// Three epochs of 5,000 × 128 tokens at 6 × 110 million FLOPs are two hours at 2 · 10¹¹ FLOP/s.
  @Test func aDeadlineChoosesTheSize() throws {
    let free = answer(.classify, 5000)
    #expect(abs(free.seconds - 6 * 335e6 * 5000 * 128 * 3 / 2e11) < 1)
    let short = answer(.classify, 5000, hours: 4)
    #expect(short.model.names == "bert-base-uncased" && short.start == .fineTune)
    #expect(short.reasons.contains { $0.hasPrefix("bert-large-uncased would need about") })
    let none = answer(.classify, 5000, hours: 0.01)
    #expect(none.start == .asItIs && none.seconds == 0)
    #expect(none.reasons.contains { $0.contains("allow more time") })
    #expect(none.text.contains("use a model as it is"))
  }

  @Test func memoryChoosesTheSize() {
    #expect(answer(.classify, 5000, memory: 2 << 30).model.names == "bert-base-uncased")
    #expect(answer(.generate, 300, memory: 8 << 30).model.names == "meta-llama/Llama-3.2-1B")
  }

  @Test func scratchIsPossibleWithEnoughTokens() {
    let answer = answer(.embed, 10_000_000)
    #expect(answer.reasons.last?.contains("would be possible") == true)
    #expect(answer.text.split(separator: "\n").allSatisfy { $0.count <= 100 })
    #expect(answer.text.contains("Hold out"))
  }
}
