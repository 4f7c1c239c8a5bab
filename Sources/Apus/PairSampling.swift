import Annotation
import Checkpoints
import Datasets
import Generation
import Models
import Tensors
import Tokenizers

/// Pairs of answers by one or two models, sampled.
///
/// Two models give an answer each; one model gives two. Prompts are answered in groups of a fixed size,
/// counted from the first, so that the answers are functions of the file's seed, the prompts and the
/// models: an interrupted sampling goes on, and a finished one is not done again.
struct PairSampling {
  /// Prompts that could not be used and were left out.
  let skipped: SkippedRecords
  private let prompts: [[Message]]
  private let models: [LoadedModel]
  private let encoders: [ChatEncoder?]
  private let names: [String]

  /// How often two answers that turn out equal, or an empty one, are sampled anew.
  private static let attempts = 8
  /// Prompts that are answered together.
  private static let group = 16

  /// Reads the models `names`, one or two, and the prompts of `files`.
  init(_ names: [String], _ files: [String], skipsBad: Bool) throws {
    self.names = names
    var reader = RecordReader(try SourceList(files, of: .records).files, skipsBad: skipsBad)
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
    skipped = reader.skipped
    models = try names.map { try LoadedModel(writerAt: $0) }
    encoders = try models.map { model in
      try TokenizerFile.template(from: model.path, for: model.tokenizer).map {
        ChatEncoder($0, tokenizer: model.tokenizer)
      }
    }
    for (number, prompt) in prompts.enumerated() {
      for model in models.indices { try check(prompt, number: number, model: model) }
    }
  }

  /// Adds a pair for every prompt that has none from these models yet.
  func fill(_ store: JudgementStore, _ arguments: GenerationArguments) throws {
    MatrixLibrary.useCallingThreadOnly()
    let team = try arguments.team()
    defer { team?.stop() }
    let generators = models.map { arguments.generator($0, team) }
    let maker = fingerprint(arguments)
    var (added, equal) = (0, 0)
    for start in stride(from: 0, to: prompts.count, by: Self.group) {
      let numbers = start..<min(prompts.count, start + Self.group)
      let origins = numbers.map { "\(maker) \($0) \(Self.digits(of: "\(prompts[$0])"))" }
      let open = try origins.map { try !store.hasPairs(from: $0) }
      guard open.contains(true) else { continue }
      let sampled = try firstAnswers(numbers, generators, arguments, seed: store.seed)
      for (place, number) in numbers.enumerated() where open[place] {
        var answers: [String]? = sampled[place]
        if !Self.differ(sampled[place]) {
          answers = try laterAnswers(number, generators, arguments, seed: store.seed)
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
    try StandardOutput.print(
      "\(added) pairs are new, sampled for \(prompts.count) prompts"
        + (equal == 0 ? "." : "; \(equal) had equal or empty answers only."))
  }

  private func check(_ prompt: [Message], number: Int, model: Int) throws {
    if encoders[model] == nil && prompt.count != 1 {
      throw Failure.Refusal(
        "Prompt \(number + 1) is a conversation, and \(names[model]) has no chat template: give "
          + "prompts of one message, which it continues.")
    }
    let (count, context) = (
      try ids(of: prompt, model: model).count, models[model].configuration.context
    )
    guard count < context else {
      throw Failure.Refusal(
        "Prompt \(number + 1) has \(count) tokens and \(names[model]) a context of \(context), one "
          + "of which is for the answer: shorten the prompt.")
    }
  }

  /// A chat model is asked; another continues the prompt as a text.
  private func ids(of prompt: [Message], model: Int) throws -> [TokenID] {
    let tokenizer = models[model].tokenizer
    if let encoder = encoders[model] { return try encoder.encode(prompt: prompt) }
    let ids = tokenizer.encode(prompt.map(\.content).joined())
    return ids.isEmpty ? [tokenizer.endOfText] : ids
  }

  /// Two answers to each of the prompts, whatever they are.
  private func firstAnswers(
    _ numbers: Range<Int>, _ generators: [Generator], _ arguments: GenerationArguments,
    seed: UInt64
  ) throws -> [[String]] {
    let samples = models.count == 1 ? 2 : 1
    let byModel = try models.indices.map { model in
      let request = arguments.request(
        models[model], prompts: try numbers.map { try ids(of: prompts[$0], model: model) },
        samples: samples, end: encoders[model]?.endOfTurn, seed: seed, step: model,
        first: numbers.lowerBound * samples)
      return try generators[model].answers(request).map { answer in
        try text(of: answer.hasEnded ? answer.tokens.dropLast() : answer.tokens[...], model: model)
      }
    }
    return numbers.indices.map { number in
      let place = number - numbers.lowerBound
      return byModel.flatMap { $0[place * samples..<(place + 1) * samples] }
    }
  }

  /// Two answers that differ, where the first ones did not; nil when none were found.
  private func laterAnswers(
    _ number: Int, _ generators: [Generator], _ arguments: GenerationArguments, seed: UInt64
  ) throws -> [String]? {
    for attempt in 1..<Self.attempts {
      let first = 2 * attempt
      let answers = try models.indices.flatMap { model in
        let request = arguments.request(
          models[model], prompt: try ids(of: prompts[number], model: model),
          sequences: models.count == 1 ? first..<first + 2 : first + model..<first + model + 1,
          end: encoders[model]?.endOfTurn, seed: seed, step: models.count + number)
        return try generators[model](request).map { try text(of: $0[...], model: model) }
      }
      if Self.differ(answers) { return answers }
    }
    return nil
  }

  /// Whether two answers differ, and neither is empty.
  private static func differ(_ answers: [String]) -> Bool {
    answers[0] != answers[1] && answers.allSatisfy { $0.contains { !$0.isWhitespace } }
  }

  private func text(of ids: ArraySlice<TokenID>, model: Int) throws -> String {
    let bytes = try ids.map { try models[model].tokenizer.bytes(of: $0) }.joined()
    return String(decoding: Array(bytes), as: UTF8.self)
  }

  /// What the answers depend on beside prompt and seed.
  private func fingerprint(_ arguments: GenerationArguments) -> String {
    let weights = models.map { model in
      var hash = FNV1a()
      hash.combine(UnsafeRawBufferPointer(model.parameters.elements).bindMemory(to: UInt8.self))
      return "\(hash.value)"
    }
    let settings =
      "\(arguments.tokens) \(arguments.temperature) \(arguments.topK ?? 0) \(arguments.topP)"
    return Self.digits(of: (weights + names + [settings]).joined(separator: "\n"))
  }

  private static func digits(of text: String) -> String {
    String(FNV1a(Array(text.utf8)).value, radix: 16)
  }
}

extension Record {
  /// What is asked: a prompt as it is, a conversation without its last answer, a pair without its
  /// answers; nil where nothing is.
  fileprivate var prompt: [Message]? {
    switch self {
    case .prompt(let messages): messages
    case .conversation(let conversation): conversation.messages.dropLast()
    case .pair(let pair): pair.prompt.isEmpty ? nil : pair.prompt
    case .labelled, .tagged: nil
    }
  }
}
