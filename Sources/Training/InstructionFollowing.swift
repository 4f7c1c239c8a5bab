import Aviary
import DataParallel
import Datasets
import Evaluation
import Generation
import Monitoring
import Tokenizers

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
  package func instructions(
    _ sources: [String], template: ExampleDataOptions.Template, tokens: Int, temperature: Double,
    seed: UInt64
  ) throws -> (figures: [Figure], prompt: String, answer: String) {
    let (set, instructions) = try replicas.world.together {
      let chat = ChatEncoder(
        try PhaseModel.template(template, of: folder), tokenizer: folder.tokenizer)
      let set = try PromptSet(
        try RecordSet(reading: sources, validation: .fraction(0)).train, chat: chat,
        completion: min(tokens, folder.configuration.context / 2),
        options: Datasets.ExampleOptions(context: folder.configuration.context))
      let instructions = try set.prompts.map { prompt in
        let text = prompt.messages.last?.content ?? ""
        guard let instruction = Instruction(text) else { throw NotAnInstruction(text: text) }
        return instruction
      }
      return (set, instructions)
    }
    let group = 16
    let units = (instructions.count + group - 1) / group
    let answers = try replicas.collected(count: units) { [folder] replica, workspace, unit in
      let own = unit * group..<min(instructions.count, (unit + 1) * group)
      let request = CompletionRequest(
        prompts: own.map { set.prompts[$0].ids }, maximum: tokens,
        sampling: Sampling(temperature: Float(temperature)), end: set.endOfTurn,
        vocabulary: folder.tokenizer.vocabularySize, seed: seed, first: own.lowerBound)
      return Generator(replica.model, configuration: folder.configuration, in: workspace)
        .completions(request).flatMap(\.packed)
    }.flatMap(Completion.unpacked)
    let texts = try answers.map { answer in
      let ids = answer.hasEnded ? Array(answer.tokens.dropLast()) : answer.tokens
      return String(decoding: try folder.tokenizer.decode(ids), as: UTF8.self)
    }
    var counts = AnswerCounts()
    for (text, instruction) in zip(texts, instructions) { counts.add(text, to: instruction.facts) }
    let fraction = { (part: Int, whole: Int) in Double(part) / Double(max(1, whole)) }
    return (
      [
        Figure("followed", fraction(counts.followed, counts.answers)),
        Figure("factsKept", fraction(counts.factsKept, counts.factsNamed)),
        Figure("kind", fraction(counts.kind, counts.answers)),
        Figure("consistent", fraction(counts.consistent, counts.answers)),
        Figure("ended", fraction(answers.count(where: \.hasEnded), answers.count)),
      ], instructions[0].text, texts[0]
    )
  }
}

/// The error for a prompt that is not an instruction of the Aviary.
package struct NotAnInstruction: Error, CustomStringConvertible, Sendable {
  let text: String

  /// One sentence: what, why, what to do.
  package var description: String {
    "\"\(text.prefix(60))\" is not an instruction of the Aviary, and only answers to those can be "
      + "checked: write some with apus data aviary --kind prompts"
  }
}
