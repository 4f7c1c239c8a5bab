/// A task for a language model, and what there is for it.
package struct AdviceQuestion: Sendable, Equatable {
  /// The task of the model.
  package enum Objective: String, Sendable, CaseIterable {
    /// A label or a number for a text.
    case classify
    /// A vector for a text, for search and clustering.
    case embed
    /// A text from a text: translation, summary, correction.
    case transform
    /// A free text after a prompt.
    case generate
    /// Spans of a text with their kinds: names, dates, amounts.
    case extract
  }

  package var objective: Objective
  /// The examples: texts with what is to come of them; for `embed`, texts.
  package var examples: Int
  /// The mean tokens of an example.
  package var tokensPerExample: Int
  /// Seconds in which the model must be trained; nil without a deadline.
  package var deadline: Double?
  /// FLOP/s that training reaches on all hosts together.
  package var flopsPerSecond: Double
  /// Bytes of memory of a host.
  package var memory: Int

  package init(
    _ objective: Objective, examples: Int, tokensPerExample: Int? = nil, deadline: Double? = nil,
    flopsPerSecond: Double, memory: Int
  ) {
    self.objective = objective
    self.examples = examples
    self.tokensPerExample = tokensPerExample ?? objective.typicalTokens
    self.deadline = deadline
    self.flopsPerSecond = flopsPerSecond
    self.memory = memory
  }

  /// The tokens of all examples.
  package var tokens: Double { Double(examples) * Double(tokensPerExample) }
}

extension AdviceQuestion.Objective {
  /// Tokens of an example, unless they are given.
  package var typicalTokens: Int {
    switch self {
    case .classify, .embed: 128
    case .extract: 64
    case .transform, .generate: 512
    }
  }
}
