import Annotation
import Checkpoints
import Datasets
import Files
import Generation
import Monitoring
import Tensors
import Tokenizers

/// Samples pairs of answers from one or two models.
///
/// Two models give one answer each; one model gives two. Prompts are answered in batches of fixed
/// size, counted from the first prompt, so that the answers depend only on the file's seed, the
/// prompts and the models: an interrupted sampling resumes, and a finished one adds nothing.
struct PairSampling {
  /// The records without a usable prompt.
  let skipped: SkippedRecords
  let unused: UnusedFields
  private let prompts: [[Message]]
  private let models: [LoadedModel]
  private let encoders: [ChatEncoder?]
  private let names: [String]

  /// Sampling attempts per prompt until two answers differ and neither is empty.
  private static let attempts = 8
  /// Prompts per batch.
  private static let group = 16

  /// Reads the models `names`, one or two, and the prompts of `files`.
  init(_ names: [String], _ files: [String], fields: FieldNames, skipsBad: Bool) throws {
    self.names = names
    var reader = RecordReader(
      try SourceList(files, of: .records).files, names: fields, skipsBad: skipsBad)
    var prompts: [[Message]] = []
    while let located = try reader.next() {
      guard let prompt = located.record.prompt else {
        throw DatasetError.badRecord(
          .otherKind(found: located.record.kind, wanted: "a prompt"), at: located.place)
      }
      prompts.append(prompt)
    }
    guard !prompts.isEmpty else { throw DatasetError.noRecords(skipped: reader.skipped) }
    self.prompts = prompts
    (skipped, unused) = (reader.skipped, reader.unused)
    models = try names.map { try LoadedModel(generativeModelAt: $0) }
    encoders = try models.map { model in
      try model.chatTemplate().map {
        ChatEncoder($0, tokenizer: model.tokenizer)
      }
    }
    for (number, prompt) in prompts.enumerated() {
      for model in models.indices { try check(prompt, number: number, model: model) }
    }
  }

  /// Adds a pair for every prompt that has none from these models and settings yet.
  func fill(_ store: JudgementStore, _ arguments: GenerationArguments) throws {
    MatrixLibrary.useCallingThreadOnly()
    let team = try arguments.threads.team()
    defer { team?.stop() }
    let generators = models.map { arguments.generator($0, team) }
    let settings = fingerprint(arguments)
    var (added, equal) = (0, 0)
    let progress = CountProgress("sampling", prompts.count, "prompts")
    defer { progress.finish() }
    for start in stride(from: 0, to: prompts.count, by: Self.group) {
      let numbers = start..<min(prompts.count, start + Self.group)
      defer { progress.advance(by: numbers.count) }
      let origins = numbers.map { "\(settings) \($0) \(Self.hash(of: "\(prompts[$0])"))" }
      let open = try origins.map { try !store.hasPairs(from: $0) }
      guard open.contains(true) else { continue }
      let sampled = try firstAnswers(numbers, generators, arguments, seed: store.seed)
      for (place, number) in numbers.enumerated() where open[place] {
        var answers: [String]? = sampled[place]
        if !Self.areUsable(sampled[place]) {
          answers = try resampledAnswers(number, generators, arguments, seed: store.seed)
        }
        guard let answers else {
          equal += 1
          continue
        }
        let pair = AnnotationPair(
          prompt: prompts[number],
          first: .init([Message(.assistant, answers[0])], source: names.first),
          second: .init([Message(.assistant, answers[1])], source: names.last))
        added += try store.add([pair], from: origins[place])
      }
    }
    progress.finish()
    try StandardOutput.print(
      "\(added, "pair is", "pairs are") new, sampled for \(prompts.count, "prompt")"
        + (equal == 0 ? "." : "; \(equal, "has", "have") only equal or empty answers."))
  }

  private func check(_ prompt: [Message], number: Int, model: Int) throws {
    if encoders[model] == nil && prompt.count != 1 {
      throw Failure.Refusal(
        "Prompt \(number + 1) is a conversation, but \(names[model]) has no chat template: give "
          + "prompts of one message, which it continues.")
    }
    let (count, context) = (
      try ids(of: prompt, model: model).count, models[model].configuration.context
    )
    guard count < context else {
      throw Failure.Refusal(
        "Prompt \(number + 1) has \(count, "token"), but \(names[model]) has a context of "
          + "\(context), one of them for the answer: shorten the prompt.")
    }
  }

  /// The token ids of `prompt`: in the model's chat template, or as plain text if it has none.
  private func ids(of prompt: [Message], model: Int) throws -> [TokenID] {
    let tokenizer = models[model].tokenizer
    if let encoder = encoders[model] { return try encoder.encode(prompt: Conversation(prompt)) }
    let ids = tokenizer.encode(prompt: prompt.map(\.content).joined())
    return ids.isEmpty ? [models[model].beginningOfText] : ids
  }

  /// Two answers to each prompt, possibly equal or empty.
  private func firstAnswers(
    _ numbers: Range<Int>, _ generators: [Generator], _ arguments: GenerationArguments,
    seed: UInt64
  ) throws -> [[String]] {
    let samples = models.count == 1 ? 2 : 1
    let byModel = try models.indices.map { model in
      let request = arguments.request(
        models[model], prompts: try numbers.map { try ids(of: prompts[$0], model: model) },
        samples: samples, first: numbers.lowerBound * samples, end: encoders[model]?.endOfTurn,
        seed: seed, step: model)
      return try texts(generators[model], request, model: model)
    }
    return numbers.indices.map { number in
      let place = number - numbers.lowerBound
      return byModel.flatMap { $0[place * samples..<(place + 1) * samples] }
    }
  }

  /// Two usable answers from further attempts; nil if no attempt gave any.
  private func resampledAnswers(
    _ number: Int, _ generators: [Generator], _ arguments: GenerationArguments, seed: UInt64
  ) throws -> [String]? {
    for attempt in 1..<Self.attempts {
      let first = 2 * attempt
      let answers = try models.indices.flatMap { model in
        let request = arguments.request(
          models[model], prompts: [try ids(of: prompts[number], model: model)],
          samples: models.count == 1 ? 2 : 1, first: first + model, end: encoders[model]?.endOfTurn,
          seed: seed, step: models.count + number, continuesPastContext: true)
        return try texts(generators[model], request, model: model)
      }
      if Self.areUsable(answers) { return answers }
    }
    return nil
  }

  /// True when the two answers differ and neither is empty.
  private static func areUsable(_ answers: [String]) -> Bool {
    answers[0] != answers[1] && answers.allSatisfy { $0.contains { !$0.isWhitespace } }
  }

  private func texts(
    _ generator: Generator, _ request: CompletionRequest, model: Int
  ) throws -> [String] {
    let tokenizer = models[model].tokenizer
    return try generator.completions(request).map { completion in
      let ids = completion.textTokens(tokenizer.isSpecial)
      return String(decoding: try tokenizer.decode(ids), as: UTF8.self)
    }
  }

  /// A hash of everything that decides the answers, except the prompt and the seed.
  private func fingerprint(_ arguments: GenerationArguments) -> String {
    let weights = models.map { model in
      var hash = FNV1a()
      hash.combine(UnsafeRawBufferPointer(model.parameters.elements).bindMemory(to: UInt8.self))
      return "\(hash.value)"
    }
    let sampling = arguments.sampling
    let settings =
      "\(arguments.tokens ?? GenerationArguments.usualTokens) \(sampling.temperature) \(sampling.topK ?? 0) \(sampling.topP)"
    return Self.hash(of: (weights + names + [settings]).joined(separator: "\n"))
  }

  private static func hash(of text: String) -> String {
    String(FNV1a(Array(text.utf8)).value, radix: 16)
  }
}

extension Record {
  /// The conversation to answer: a prompt, a conversation without an answer at its end, or the prompt of
  /// a pair or an answer with a label; nil if there is none, or it holds more than texts.
  fileprivate var prompt: [Message]? {
    let prompt: Conversation? =
      switch self {
      case .prompt(let prompt): prompt
      case .conversation(let conversation): conversation.prompt
      case .pair(let pair): pair.prompt
      case .unpaired(let preference): preference.prompt
      case .labelled, .tagged: nil
      }
    guard let prompt, !prompt.messages.isEmpty, !prompt.hasToolsOrFields else { return nil }
    return prompt.messages
  }
}
