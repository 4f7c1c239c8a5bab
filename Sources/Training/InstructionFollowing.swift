import Aviary
import DataParallel
import Datasets
import Evaluation
import Generation
import Monitoring
import Tokenizers

extension ModelEvaluation {
  /// How a model answers instructions of the written world, and its first answer.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - sources: Records whose prompts are instructions of the Aviary.
  ///   - tokens: Most tokens of an answer.
  ///   - temperature: Divides the logits.
  ///   - seed: Seed of the choices, the same for all models that are compared.
  public func instructions(
    _ sources: [String], template: ExampleDataOptions.Template, tokens: Int, temperature: Double,
    seed: UInt64
  ) throws -> (figures: [Figure], prompt: String, answer: String) {
    let (set, asked) = try replicas.world.together {
      let chat = ChatEncoder(
        try PhaseModel.template(template, of: folder), tokenizer: folder.tokenizer)
      let set = try PromptSet(
        try RecordSet(reading: sources, validation: .fraction(0)).train, chat: chat,
        answer: min(tokens, folder.configuration.context / 2),
        options: Datasets.ExampleOptions(context: folder.configuration.context))
      let asked = try set.prompts.map { prompt in
        let text = prompt.messages.last?.content ?? ""
        guard let instruction = Instruction(text) else { throw NotAnInstruction(text: text) }
        return instruction
      }
      return (set, asked)
    }
    let group = 16
    let units = (asked.count + group - 1) / group
    let answers = try replicas.collected(count: units) { [folder] replica, workspace, unit in
      let own = unit * group..<min(asked.count, (unit + 1) * group)
      let request = AnswerRequest(
        prompts: own.map { set.prompts[$0].ids }, maximum: tokens,
        sampling: Sampling(temperature: Float(temperature)), end: set.endOfTurn,
        vocabulary: folder.tokenizer.vocabularySize, seed: seed, first: own.lowerBound)
      return Generator(replica.model, configuration: folder.configuration, in: workspace)
        .answers(request).flatMap(\.numbers)
    }.flatMap(Answer.all)
    let texts = try answers.map { answer in
      let ids = answer.hasEnded ? Array(answer.tokens.dropLast()) : answer.tokens
      return String(decoding: try folder.tokenizer.decode(ids), as: UTF8.self)
    }
    var counts = AnswerCounts()
    for (text, instruction) in zip(texts, asked) { counts.add(text, to: instruction.facts) }
    let share = { (part: Int, whole: Int) in Double(part) / Double(max(1, whole)) }
    return (
      [
        Figure("followed", share(counts.followed, counts.answers)),
        Figure("factsKept", share(counts.factsKept, counts.factsNamed)),
        Figure("kind", share(counts.kind, counts.answers)),
        Figure("consistent", share(counts.consistent, counts.answers)),
        Figure("ended", share(answers.count(where: \.hasEnded), answers.count)),
      ], asked[0].text, texts[0]
    )
  }
}

/// A prompt that the written world does not know.
public struct NotAnInstruction: Error, CustomStringConvertible, Sendable {
  let text: String

  /// One sentence: what, why, what to do.
  public var description: String {
    "\"\(text.prefix(60))\" is no instruction of the Aviary, whose answers alone can be checked: "
      + "write some with apus data aviary --kind prompts"
  }
}
