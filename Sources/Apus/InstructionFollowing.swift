import Aviary
import Monitoring
import Phases

extension ModelEvaluation {
  /// Samples answers to instructions of the Aviary, and returns how well they follow these, with
  /// the first prompt and its answer.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - sources: Records whose prompts are instructions of the Aviary.
  ///   - tokens: The maximum number of tokens of an answer.
  ///   - temperature: Divides the logits.
  ///   - seed: The seed of the sampling; the same for all models that are compared.
  func instructions(
    _ sources: [String], template: ExampleDataOptions.Template, tokens: Int, temperature: Double,
    seed: UInt64
  ) throws -> (figures: [Figure], prompt: String, answer: String) {
    let (set, instructions) = try prompts(sources, template: template, tokens: tokens) { set in
      try set.prompts.map { prompt in
        let text = prompt.messages.last?.content ?? ""
        guard let instruction = Instruction(text) else { throw NotAnInstruction(text: text) }
        return instruction
      }
    }
    let answers = try completions(of: set, tokens: tokens, temperature: temperature, seed: seed)
    let texts = answers.map(\.text)
    let counts = zip(texts, instructions).map { AnswerCheck(of: $0, to: $1.facts) }
    let fraction = { (name: String, part: KeyPath<AnswerCheck, Bool>) in
      Figure.fraction(name, Double(counts.count { $0[keyPath: part] }), of: counts.count)
    }
    var figures = [Figure("answers", Double(counts.count))]
    figures += fraction("followed", \.isFollowed)
    figures += Figure.ratio(
      "factsKept", counts.reduce(0) { $0 + $1.factsKept },
      of: counts.reduce(0) { $0 + $1.factsNamed }, examples: counts.count)
    figures += fraction("kind", \.isKind) + fraction("consistent", \.isConsistent)
    figures += Figure.fraction(
      "ended", Double(answers.count(where: \.hasEnded)), of: answers.count)
    return (figures, instructions[0].text, texts[0])
  }
}

/// The error for a prompt that is not an instruction of the Aviary.
struct NotAnInstruction: Error, CustomStringConvertible, Sendable {
  let text: String

  /// One sentence: what, why, what to do.
  var description: String {
    "\"\(text.prefix(60))\" is not an instruction of the Aviary, and only answers to those can be "
      + "checked: write some with apus data aviary --kind prompts"
  }
}
