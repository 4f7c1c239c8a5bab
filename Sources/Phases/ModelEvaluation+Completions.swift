import DataParallel
import Datasets
import Generation
import MPI
import Monitoring
import Tokenizers
import Training

extension ModelEvaluation {
  /// Reads the prompts of records, and applies `check` to them.
  ///
  /// Collective; an error of `check` on one rank is an error on all.
  ///
  /// - Parameter tokens: The maximum number of tokens of a completion.
  package func prompts<Result>(
    _ sources: [String], template: ExampleDataOptions.Template, tokens: Int,
    check: (PromptSet) throws -> Result
  ) throws -> (PromptSet, Result) {
    let (set, result, identity) = try replicas.world.together {
      let chat = ChatEncoder(
        try InitialModel.template(template, of: folder), tokenizer: folder.tokenizer)
      let records = try RecordSet(reading: sources, validation: .fraction(0))
      let set = try PromptSet(
        records.train, chat: chat,
        completion: min(tokens, folder.configuration.context / 2),
        options: Datasets.ExampleOptions(context: folder.configuration.context))
      return (set, try check(set), records.identity)
    }
    try agree(on: "prompts") { identity }
    return (set, result)
  }

  /// Samples a completion of each prompt, and returns it as text without its end token.
  ///
  /// Collective.
  ///
  /// - Parameters:
  ///   - tokens: The maximum number of tokens of a completion.
  ///   - temperature: Divides the logits.
  ///   - seed: The seed of the sampling; the same for all models that are compared.
  package func completions(
    of set: PromptSet, tokens: Int, temperature: Double, seed: UInt64
  ) throws -> [(text: String, hasEnded: Bool)] {
    let group = 16
    let units = (set.prompts.count + group - 1) / group
    let progress = replicas.progress(of: "sampling", set.prompts.count, "answers")
    defer { progress?.finish() }
    let completions = try replicas.completions(units: units) { [folder] replica, workspace, unit in
      let own = unit * group..<min(set.prompts.count, (unit + 1) * group)
      let request = CompletionRequest(
        prompts: own.map { set.prompts[$0].ids }, maximum: tokens,
        sampling: Sampling(temperature: Float(temperature)),
        ends: Set(folder.generation.ends + [set.endOfTurn]),
        vocabulary: folder.tokenizer.vocabularySize, seed: seed, first: own.lowerBound)
      return Generator(replica.model, configuration: folder.configuration, in: workspace)
        .completions(request, reportingTo: progress)
    }
    return try completions.map { completion in
      let ids = completion.textTokens(folder.tokenizer.isSpecial)
      return (
        String(decoding: try folder.tokenizer.decode(ids), as: UTF8.self), completion.hasEnded
      )
    }
  }
}
