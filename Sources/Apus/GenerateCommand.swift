import ArgumentParser
import Checkpoints
import Datasets
import Files
import Foundation
import Generation
import Models
import Monitoring
import Tensors
import Tokenizers

/// `apus generate`: continues a prompt and streams the text to standard output.
struct GenerateCommand: Subcommand {
  static let configuration = CommandConfiguration(
    commandName: "generate", abstract: "Generate text with a trained model.",
    discussion: """
      apus generate runs/base "Once" --temperature 0.8

      Samples, at temperature 1 unless generation_config.json of the model or an option says \
      otherwise; --greedy does not.
      """)

  @Argument(help: "Run folder, checkpoint or Hugging Face folder with a tokenizer.")
  var model: String

  @Argument(
    help: "Text to continue, or the input of an encoder–decoder (default: a new document).")
  var prompt: String?

  @Option(help: "Token ids to continue instead of a text, separated by spaces or commas.")
  var ids: TokenIDList?

  @Flag(
    help: """
      Take the most likely token at every position (temperature 0), the default of transformers.
      """)
  var greedy = false

  @Option(help: "Seed of the sampling.")
  var seed: UInt64 = 1

  @Option(help: "Number of texts, each sampled independently (default: 1).")
  var samples: Int?

  @OptionGroup var generation: GenerationArguments

  @Flag(help: "Send the prompt as a user's message, to a model fine-tuned on conversations.")
  var chat = false

  var inputs: [String] { [model] }

  func validate() throws {
    try requireOneOrMore(samples, of: "--samples")
    if let samples, samples > GenerationArguments.most.samples {
      throw ValidationError(
        "--samples must be at most \(GenerationArguments.most.samples), not \(samples).")
    }
    if chat && prompt == nil { throw ValidationError("--chat needs the text of a message.") }
    if prompt != nil && ids != nil {
      throw ValidationError("Give a prompt or --ids, not both.")
    }
  }

  /// The encoder for the model's chat template; nil without `--chat`.
  private func encoder(_ loaded: LoadedModel) throws -> ChatEncoder? {
    guard chat else { return nil }
    guard let template = try loaded.chatTemplate() else {
      throw Failure.Refusal(
        "\(loaded.path) has no chat template for the message: fine-tune it on conversations first, "
          + "or leave out --chat to continue a text.")
    }
    return ChatEncoder(template, tokenizer: loaded.tokenizer)
  }

  func run() throws {
    MatrixLibrary.useCallingThreadOnly()
    let loaded = try LoadedModel(generativeModelAt: model, allowingSequenceToSequence: true)
    loaded.notes.forEach(Failure.report)
    let encoder = try encoder(loaded)
    if let note = encoder?.dateNote { Failure.report("\(note).") }
    let prompt = try promptIDs(loaded, encoder)
    generation.reportPrecision()
    let team = try generation.threads.team()
    defer { team?.stop() }
    let generate = generation.generator(loaded, team)
    let request = try request(for: prompt, loaded, end: encoder?.endOfTurn)
    try requireMemory(for: request, loaded.configuration)
    let isTarget = loaded.configuration.prediction == .sequenceToSequence
    let continues = encoder == nil && !isTarget
    // Answers are decoded as transformers decodes the new ids, without special tokens.
    let isShown = { (id: TokenID) in encoder == nil || !loaded.tokenizer.isSpecial(id) }
    let opening = continues ? self.prompt ?? "" : ""
    let start = DecodedStream(loaded.tokenizer, after: continues ? prompt : [])
    // A single text is streamed; several are generated in one batch and printed one after another.
    if request.samples == 1 {
      try StandardOutput.write(opening.utf8)
      var (text, read) = (start, 0)
      let completion = try generate.completions(request) { _, id in
        if isShown(id) { try StandardOutput.write(try text.append(id).utf8) }
        read += 1
      }
      for id in completion[0].textTokens(loaded.tokenizer.isSpecial).dropFirst(read)
      where isShown(id) { try StandardOutput.write(try text.append(id).utf8) }
      return try StandardOutput.write((try text.rest() + "\n").utf8)
    }
    let progress = CountProgress("sampling", request.samples * request.maximum, "tokens at most")
    let completions = generate.completions(request) { _, _ in progress.advance() }
    progress.finish()
    for completion in completions {
      var (text, answer) = (start, "")
      for id in completion.textTokens(loaded.tokenizer.isSpecial) where isShown(id) {
        answer += try text.append(id)
      }
      try StandardOutput.write((opening + answer + (try text.rest()) + "\n").utf8)
    }
  }

  /// The request for texts after `prompt`, with the settings of the model where no option states one;
  /// both are reported.
  private func request(
    for prompt: [Int32], _ loaded: LoadedModel, end: Int32?
  ) throws -> CompletionRequest {
    let own = loaded.generation
    var request = generation.request(
      loaded, prompts: [prompt], samples: samples ?? own.samples ?? 1, end: end, seed: seed,
      continuesPastContext: true)
    let file = "\(GenerationConfiguration.fileName) of the model"
    let most = GenerationArguments.most
    if own.maximumNewTokens ?? 0 > most.tokens || own.samples ?? 0 > most.samples {
      throw Failure.Refusal(
        "\(file) asks for more than \(most.samples) texts or \(most.tokens) new tokens: correct "
          + "max_new_tokens and num_return_sequences.")
    }
    if greedy {
      request.sampling.temperature = 0
    } else if let sampling = generation.sampling(of: own) {
      request.sampling = sampling
      Failure.report(
        sampling.temperature == 0
          ? "\(file) asks for the most likely tokens; --temperature 1 samples."
          : "sampling at temperature \(sampling.temperature), top-k "
            + "\(sampling.topK.map(String.init) ?? "none") and top-p \(sampling.topP), as \(file) "
            + "says; --greedy takes the most likely tokens.")
    } else if generation.asksForNoSampling {
      Failure.report(
        "sampling at temperature 1; --greedy takes the most likely tokens, the default of "
          + "transformers.")
    }
    if request.sampling.temperature == 0 && request.samples > 1 {
      throw Failure.Refusal(
        "\(request.samples) texts of the most likely tokens would be equal: sample with "
          + "--temperature 1, or ask for one text with --samples 1.")
    }
    var lengths: [String] = []
    if generation.tokens == nil, let maximum = own.maximumNewTokens {
      request.maximum = maximum
      lengths.append("at most \(maximum, "new token")")
    }
    if samples == nil, let count = own.samples, count > 1 { lengths.append("\(count, "text")") }
    if !lengths.isEmpty { Failure.report("\(file) sets \(lengths.joined(separator: ", ")).") }
    // --tokens replaces the length of transformers.
    let unused = own.unused.filter { generation.tokens == nil || !$0.hasPrefix("max_length ") }
    if !unused.isEmpty {
      Failure.report(
        "\(file) asks for settings that apus generate does not apply: "
          + "\(unused.joined(separator: ", ")).")
    }
    return request
  }

  /// Refuses more texts than the memory holds keys, values and logits for.
  private func requireMemory(
    for request: CompletionRequest, _ model: any ModelConfiguration
  ) throws {
    let prompt = request.prompts.map(\.count).max() ?? 0
    let positions = min(model.context, prompt + request.maximum)
    let numbers = 2 * model.layers * model.keyWidth * positions + model.vocabulary
    let bytes = Double(MemoryLayout<Float>.stride * numbers) * Double(request.samples)
    let available = ProcessMemory.available()
    guard bytes > Double(available) else { return }
    throw Failure.Refusal(
      "\(request.samples, "text") of up to \(positions, "token") need \(Int(bytes) >> 20) MiB of "
        + "memory for keys, values and logits, and \(available >> 20) MiB are available: ask for fewer "
        + "with --samples, or for shorter ones with --tokens.")
  }

  private func promptIDs(_ loaded: LoadedModel, _ encoder: ChatEncoder?) throws -> [Int32] {
    var prompt: [Int32]
    if let ids {
      prompt = ids.ids
    } else if let encoder {
      prompt = try encoder.encode(prompt: [Message(.user, parts: [self.prompt ?? ""])])
    } else if loaded.configuration.prediction == .sequenceToSequence {
      prompt = SourceTargetSet.source(self.prompt ?? "", loaded.tokenizer)
    } else {
      prompt = loaded.tokenizer.encode(prompt: self.prompt ?? "")
      if let end = loaded.tokenizer.endOfPrompt {
        Failure.report(
          "the tokenizer of \(model) ends every text, and so the prompt, with \(end), as in "
            + "transformers: the model continues after it.")
      }
    }
    if prompt.isEmpty { prompt = [loaded.beginningOfText] }
    let vocabulary = loaded.configuration.vocabulary
    if let id = prompt.first(where: { $0 < 0 || Int($0) >= vocabulary }) {
      throw Failure.Refusal(
        "The prompt has the id \(id), outside the model's vocabulary 0..<\(vocabulary): use ids of "
          + "its own tokenizer.")
    }
    guard loaded.configuration.start != nil || prompt.count < loaded.configuration.context else {
      throw Failure.Refusal(
        "The prompt has \(prompt.count, "token"), but \(model) has a context of "
          + "\(loaded.configuration.context), one of them for the answer: shorten the prompt.")
    }
    return prompt
  }
}
